/**
 * What passes between the page and the camera, the guidance and the recorder.
 *
 * Names in snake_case are the wire's: they mirror src/ipse/capture/schemas.py.
 */

export type Method = "PASSIVE" | "ACTIVE_3D" | "FLASHING";

/** Eight bits each. */
export type Rgb = readonly [red: number, green: number, blue: number];

// --- the challenge, as the server tells it phase by phase ---------------------------------------------------------

export interface HoldStill {
  kind: "hold";
  min_ms: number;
  max_ms: number;
}

export interface Turn {
  kind: "turn";
  /** The person's own direction: "left" is towards their left shoulder. */
  direction: "left" | "right" | "up" | "down";
  min_ms: number;
  max_ms: number;
}

export interface ShowColours {
  kind: "colours";
  colours: { rgb: Rgb; ms: number }[];
}

export type Phase = HoldStill | Turn | ShowColours;

export interface ChallengeView {
  challenge: string;
  method: "ACTIVE_3D" | "FLASHING";
  phases: number;
  index: number;
  /** Null when every phase is done: submit. */
  phase: Phase | null;
  expires_at: string;
}

export interface CommittedFrame {
  /** Lower-case hex of the exact bytes that are uploaded later. */
  sha256: string;
  /** Milliseconds since phase 0 arrived. */
  at_ms: number;
}

export interface PhaseDone {
  index: number;
  started_ms: number;
  ended_ms: number;
  colour_starts_ms: number[];
  /** 1 to 64. */
  frames: CommittedFrame[];
}

// --- what the page observed ---------------------------------------------------------------------------------------

export interface CameraFacts {
  label: string;
  facing: string | null;
  width: number | null;
  height: number | null;
  frame_rate: number | null;
  video_width: number | null;
  video_height: number | null;
  cameras: number | null;
}

export interface Observations {
  camera: CameraFacts;
  /** At most 600. */
  frame_times_ms: number[];
  /** At most 10, one for each still. */
  stills_at_ms: number[];
  webdriver: boolean | null;
  automation: string[];
  webview: boolean | null;
  languages: string[];
  time_zone: string | null;
  /** `width x height x pixel ratio`. */
  screen: string | null;
  automatic: boolean | null;
}

// --- the camera ---------------------------------------------------------------------------------------------------

export type CameraProblem = "denied" | "none" | "busy" | "insecure" | "webview" | "unknown";

export interface CameraOptions {
  facing: "user" | "environment";
  deviceId?: string;
}

/** An open camera that plays in the video element it was opened with. */
export interface Camera {
  facts(): CameraFacts;
  /** Cameras to choose from; labels are known once the camera is allowed. */
  devices(): Promise<{ id: string; label: string }[]>;
  /** When frames were delivered, on the clock of performance.now(); the latest 600. */
  frameTimes(): number[];
  /** Resolves with its time (performance.now()) when the video shows a new frame; rejects when aborted. */
  nextFrame(signal?: AbortSignal): Promise<number>;
  stop(): void;
  /** Called once when the camera is lost: unplugged, permission revoked, or not given back on return to the page. */
  onEnded(callback: () => void): void;
}

// --- the guidance -------------------------------------------------------------------------------------------------

/** What the client gates can ask for, in the words of the locale files. */
export type HintCode =
  | "allow_camera"
  | "no_face"
  | "several_faces"
  | "too_far"
  | "too_close"
  | "move_left"
  | "move_right"
  | "move_up"
  | "move_down"
  | "look_straight"
  | "too_dark"
  | "too_bright"
  | "uneven_light"
  | "back_light"
  | "hold_still"
  | "face_covered"
  | "eyes_closed";

/** Degrees. Yaw grows to the person's own left, pitch upwards, roll towards the person's own left shoulder. */
export interface Pose {
  yaw: number;
  pitch: number;
  roll: number;
}

/** A face in fractions of the unmirrored frame; the origin is its top left corner. */
export interface FaceBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What the model saw in one frame. */
export interface Sighting {
  /** How many faces; everything below is of the largest. */
  faces: number;
  /** 0-1: confidence of the detector and of the mesh. */
  score: number;
  box: FaceBox;
  pose: Pose;
  /** How far the lids are apart, as a share of the eye's width; the wider eye. Null when unknown. */
  eyesOpen: number | null;
}

/** RGBA bytes of a picture, row by row from the top left; not mirrored. ImageData is one. */
export interface Pixels {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

export interface Guidance {
  /**
   * Look at a small picture (at most 320 px on its longer side is enough). Null when no face is there.
   * While a look is under way a second call gets the same answer: frames are skipped, never queued.
   * Rejects when the model failed for good; the recording then goes on by time.
   */
  look(picture: Pixels): Promise<Sighting | null>;
  /** Free the worker and its models. */
  close(): void;
}

// --- the recording ------------------------------------------------------------------------------------------------

export interface RecordingEvents {
  hint(code: HintCode | null): void;
  /** The phase to show, or null when the challenge has none (left). */
  phase(phase: Phase | null): void;
  colour(rgb: Rgb | null): void;
  /** 0-1 over the whole recording. */
  progress(share: number): void;
  /** The person may press the button from now on. */
  manualAllowed(): void;
  /** The stills are being taken now; whether the page decided so by itself. */
  shutter(automatic: boolean): void;
}

export interface RecordRequest {
  camera: Camera;
  video: HTMLVideoElement;
  guidance: Guidance | null;
  method: Method;
  /** 1 for the first try. */
  attempt: number;
  startChallenge: () => Promise<ChallengeView>;
  nextPhase: (challenge: string, done: PhaseDone) => Promise<ChallengeView>;
  events: RecordingEvents;
  /** Resolves when the person presses the button. */
  manual: Promise<void>;
  /** Aborting rejects the recording with an AbortError. */
  signal: AbortSignal;
}

export interface Recording {
  method: Method;
  challenge: string | null;
  /** 1 to 10 JPEG, uncropped, not mirrored, the best first. */
  stills: Blob[];
  /** At most 60 JPEG whose digests were committed. */
  challengeFrames: Blob[];
  observations: Observations;
  /** The best still, to show the person what was taken. */
  preview: Blob;
}
