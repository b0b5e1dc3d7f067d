/** Which one hint helps most now. Pure: the table of UX.md 1.3 in its order of priority. */

import type { FaceBox, HintCode, Sighting } from "../recording/types";
import type { Light } from "./light";

/** What is known of one frame of the video. */
export interface View {
  /** Of the unmirrored video, in pixels. */
  frame: { width: number; height: number };
  sighting: Sighting | null;
  light: Light | null;
  /** Sharpness over the median of the last frames; 1 is usual. Null while there are too few. */
  relativeSharpness: number | null;
  /** The face seen in the last moments, when it is lost now. */
  lastSeen: Sighting | null;
}

export interface Leniency {
  /** After LOOSEN_AFTER_MS: centre, pose, light and blur are judged more mildly and the server decides. */
  loose: boolean;
  /** The hint was shown often enough: somebody's eyes may look closed, and that must not stop them. */
  eyesForgiven: boolean;
}

/**
 * UX.md 1.3: "After 20 s without success loosen gates 4, 5, 8 by 30 %". Here 6 and 7 as well: luma tells a dark skin
 * from a dark room badly, and nobody may be shut out by that.
 */
export const LOOSEN_AFTER_MS = 20_000;
const LOOSENESS = 0.3;

/** Limits of the gates. Of UX.md 1.3 unless said otherwise. */
export const PROFILE = {
  score: 0.7,
  /** The server refuses faces wider than 0.37 of the frame (biometrics/quality.py); its box is 0.87-1.0 of the mesh. */
  widestFace: 0.36,
  /** Share of the frame's height: the liveness check wants the surroundings too. */
  tallestFace: 0.6,
  /** Height of the face as a share of the frame's shorter side, so that a phone held upright asks for the same size. */
  smallestFace: 0.28,
  /** Pixels: full marks for size from 80 px (biometrics/quality.py); the margin is for the difference of the boxes. */
  narrowestFace: 88,
  offCentre: 0.12,
  yaw: 15,
  /** UX.md has 15, but upright portraits measure up to 11 degrees off: foreheads and chins differ. */
  pitch: 20,
  roll: 20,
  darkest: 60,
  brightest: 210,
  sides: 1.8,
  /** UX.md has 1.6, but well-lit portraits before light walls measured 1.63-1.92: a dark skin is not a light behind. */
  behind: 2.4,
  /** Of the rolling median; a choice of ours, UX.md leaves it open. */
  sharpness: 0.65,
  visibility: 0.8,
  /** Open eyes measured 0.18-0.5 on portraits of `ipse.samples`; no portrait there has them closed. */
  eyesOpen: 0.1,
} as const;

/** The hint of the first gate that fails, or null when the frame is good. */
export function judge(view: View, { loose, eyesForgiven }: Leniency): HintCode | null {
  const { sighting, light } = view;
  const slack = loose ? 1 + LOOSENESS : 1;
  if (sighting === null || sighting.score < PROFILE.score / 2) {
    // A face that grew out of the frame is not found any more; "put your face in the oval" would not help.
    return view.lastSeen !== null && sizeHint(view.lastSeen.box, view.frame) === "too_close" ? "too_close" : "no_face";
  }
  if (sighting.faces > 1) return "several_faces";
  const hints: (HintCode | null | false)[] = [
    sizeHint(sighting.box, view.frame),
    centreHint(sighting.box, PROFILE.offCentre * slack),
    turned(sighting, slack) && "look_straight",
    light && lightHint(light, slack),
    light !== null && light.behind > PROFILE.behind * slack && "back_light",
    view.relativeSharpness !== null && view.relativeSharpness < PROFILE.sharpness / slack && "hold_still",
    sighting.score < PROFILE.visibility && "face_covered",
    !eyesForgiven && sighting.eyesOpen !== null && sighting.eyesOpen < PROFILE.eyesOpen && "eyes_closed",
  ];
  return hints.find((hint): hint is HintCode => Boolean(hint)) ?? null;
}

/** Gate 6 alone, for the middle of the picture, when nobody can say where the face is. */
export function judgeLight(light: Light): HintCode | null {
  const hint = lightHint(light, 1);
  return hint === "uneven_light" ? null : hint;
}

/** Where the face should be: the page scales its preview so that the oval lies there. Fractions of the frame. */
export function idealFace(frame: { width: number; height: number }): FaceBox {
  const shorter = Math.min(frame.width, frame.height);
  // Between too far and too close; faces are about three quarters as wide as they are tall.
  const tallest = Math.min(PROFILE.tallestFace * frame.height, (PROFILE.widestFace * frame.width) / FACE_ASPECT);
  const height = (PROFILE.smallestFace * shorter + tallest) / 2;
  const [w, h] = [(FACE_ASPECT * height) / frame.width, height / frame.height];
  return { x: 0.5 - w / 2, y: 0.5 - h / 2, width: w, height: h };
}

/** Width over height of the mesh on portraits of `ipse.samples`: 0.75-0.87. */
const FACE_ASPECT = 0.8;

function sizeHint(box: FaceBox, frame: View["frame"]): HintCode | null {
  if (box.width > PROFILE.widestFace || box.height > PROFILE.tallestFace) return "too_close";
  const shorter = Math.min(frame.width, frame.height);
  const tall = box.height * frame.height;
  const wide = box.width * frame.width;
  return tall < PROFILE.smallestFace * shorter || wide < PROFILE.narrowestFace ? "too_far" : null;
}

// The frame is not mirrored: what is on its right is on the person's own left, so they go to their right.
function centreHint(box: FaceBox, limit: number): HintCode | null {
  const right = box.x + box.width / 2 - 0.5;
  const down = box.y + box.height / 2 - 0.5;
  if (Math.abs(right) > limit && Math.abs(right) >= Math.abs(down)) return right > 0 ? "move_right" : "move_left";
  if (Math.abs(down) > limit) return down > 0 ? "move_up" : "move_down";
  return null;
}

function turned({ pose }: Sighting, slack: number): boolean {
  return (
    Math.abs(pose.yaw) > PROFILE.yaw * slack ||
    Math.abs(pose.pitch) > PROFILE.pitch * slack ||
    Math.abs(pose.roll) > PROFILE.roll * slack
  );
}

function lightHint(light: Light, slack: number): HintCode | null {
  if (light.face < PROFILE.darkest / slack) {
    // In a dark room something is always brighter than the face; only real light behind it is worth turning round for.
    const behind = light.behind * light.face;
    return light.behind > PROFILE.behind && behind > PROFILE.darkest * PROFILE.behind ? "back_light" : "too_dark";
  }
  if (light.face > PROFILE.brightest) return "too_bright";
  return light.sides > PROFILE.sides * slack ? "uneven_light" : null;
}
