import { describe, expect, test } from "vitest";

import { idealFace, judge, judgeLight, PROFILE, type View } from "../../src/guidance/gates";
import { seeing, sighting, VIEW } from "./faces";

const STRICT = { loose: false, eyesForgiven: false };
const hintOf = (view: View) => judge(view, STRICT);

const centredAt = (x: number, y: number) => seeing({ box: { x: x - 0.1, y: y - 0.225, width: 0.2, height: 0.45 } });
const posed = (pose: { yaw?: number; pitch?: number; roll?: number }) =>
  seeing({ pose: { yaw: 0, pitch: 0, roll: 0, ...pose } });
const lit = (light: Partial<NonNullable<View["light"]>>): View => ({ ...VIEW, light: { ...VIEW.light!, ...light } });

test("a good frame has no hint", () => {
  expect(hintOf(VIEW)).toBeNull();
});

test("each gate has its own hint", () => {
  expect(hintOf({ ...VIEW, sighting: null })).toBe("no_face");
  expect(hintOf(seeing({ faces: 2 }))).toBe("several_faces");
  expect(hintOf(posed({ yaw: 18 }))).toBe("look_straight");
  expect(hintOf(posed({ pitch: -22 }))).toBe("look_straight");
  expect(hintOf(posed({ roll: 24 }))).toBe("look_straight");
  expect(hintOf(lit({ face: 40 }))).toBe("too_dark");
  expect(hintOf(lit({ face: 230 }))).toBe("too_bright");
  expect(hintOf(lit({ sides: 2.2 }))).toBe("uneven_light");
  expect(hintOf(lit({ behind: 2.6 }))).toBe("back_light");
  expect(hintOf({ ...VIEW, relativeSharpness: 0.4 })).toBe("hold_still");
  expect(hintOf(seeing({ score: 0.75 }))).toBe("face_covered");
  expect(hintOf(seeing({ eyesOpen: 0.05 }))).toBe("eyes_closed");
});

test("of several failing gates the first of the table is told", () => {
  const everything: View = {
    ...VIEW,
    sighting: sighting({
      box: { x: 0.8, y: 0.1, width: 0.05, height: 0.1 },
      pose: { yaw: 40, pitch: 0, roll: 0 },
      eyesOpen: 0,
    }),
    light: { face: 20, sides: 3, behind: 3 },
    relativeSharpness: 0.1,
  };
  expect(hintOf(everything)).toBe("too_far");
  expect(hintOf({ ...everything, sighting: null })).toBe("no_face");
});

describe("distance", () => {
  test("somebody too close is never told to come closer, even when the face is lost", () => {
    const close = { x: 0.25, y: 0.05, width: 0.5, height: 0.9 };
    expect(hintOf(seeing({ box: close }))).toBe("too_close");
    expect(hintOf({ ...VIEW, sighting: null, lastSeen: sighting({ box: close }) })).toBe("too_close");
  });

  test("a face that was far when it was lost is asked into the oval", () => {
    const far = sighting({ box: { x: 0.5, y: 0.5, width: 0.05, height: 0.1 } });
    expect(hintOf({ ...VIEW, sighting: null, lastSeen: far })).toBe("no_face");
  });

  test("a phone held upright asks for the same size of face as a laptop", () => {
    const upright = (width: number): View => ({
      ...seeing({ box: { x: 0.5 - width / 2, y: 0.4, width, height: ((width * 720) / 0.8) / 1280 } }),
      frame: { width: 720, height: 1280 },
    });
    expect(hintOf(upright(0.25))).toBeNull();
    expect(hintOf(upright(0.15))).toBe("too_far");
    expect(hintOf(upright(0.4))).toBe("too_close");
  });

  test("no face that passes is wider than the server takes", () => {
    expect(PROFILE.widestFace).toBeLessThan(0.37);
  });

  test.each([
    { width: 1280, height: 720 },
    { width: 640, height: 480 },
    { width: 720, height: 1280 },
  ])("the oval of $width x $height shows a size that passes", (frame) => {
    expect(hintOf({ ...seeing({ box: idealFace(frame) }), frame })).toBeNull();
  });
});

describe("position", () => {
  test("the person goes to their own side, seen without mirror", () => {
    // On the right of the unmirrored frame stands who is too far on their own left.
    expect(hintOf(centredAt(0.7, 0.5))).toBe("move_right");
    expect(hintOf(centredAt(0.3, 0.5))).toBe("move_left");
    expect(hintOf(centredAt(0.5, 0.7))).toBe("move_up");
    expect(hintOf(centredAt(0.5, 0.3))).toBe("move_down");
  });

  test("the larger error is told first", () => {
    expect(hintOf(centredAt(0.64, 0.7))).toBe("move_up");
  });
});

describe("leniency", () => {
  const LOOSE = { ...STRICT, loose: true };

  test("after a while centre, pose, light and blur are judged by 30 % more mildly", () => {
    const nearly = [
      centredAt(0.64, 0.5),
      posed({ yaw: 18 }),
      lit({ face: 50 }),
      lit({ behind: 2.8 }),
      { ...VIEW, relativeSharpness: 0.55 },
    ];
    expect(nearly.map(hintOf)).toEqual(["move_right", "look_straight", "too_dark", "back_light", "hold_still"]);
    expect(nearly.map((view) => judge(view, LOOSE))).toEqual([null, null, null, null, null]);
    expect(judge(posed({ yaw: 20 }), LOOSE)).toBe("look_straight");
  });

  test("the number of faces and the distance are never loosened", () => {
    expect(judge(seeing({ faces: 2 }), LOOSE)).toBe("several_faces");
    expect(judge(seeing({ box: { x: 0.3, y: 0.2, width: 0.4, height: 0.59 } }), LOOSE)).toBe("too_close");
  });

  test("eyes that look closed stop nobody for good", () => {
    expect(judge(seeing({ eyesOpen: 0 }), { ...STRICT, eyesForgiven: true })).toBeNull();
  });
});

test("a dark face before a window is told of the window, in a dark room of the dark", () => {
  expect(hintOf(lit({ face: 50, behind: 3.5 }))).toBe("back_light");
  expect(hintOf(lit({ face: 20, behind: 3 }))).toBe("too_dark");
});

test("without a model the light is judged only by how much there is", () => {
  expect(judgeLight({ face: 30, sides: 1, behind: 1 })).toBe("too_dark");
  expect(judgeLight({ face: 130, sides: 3, behind: 1 })).toBeNull();
});
