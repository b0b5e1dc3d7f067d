/** States of the capture API for tests, with everything a test does not care about filled in. */
import { INITIAL, reduce, type Happening, type Model } from "../src/model";
import type { Recording } from "../src/recording/types";
import type { CaptureState, CaptureStep, HandoffView } from "../src/wire";

export function step(changes: Partial<CaptureStep> = {}): CaptureStep {
  return {
    node_id: "feature_liveness",
    feature: "LIVENESS",
    label: null,
    method: "PASSIVE",
    methods: ["PASSIVE", "ACTIVE_3D", "FLASHING"],
    suggested_method: null,
    needs: ["selfie_frames"],
    frames_min: 1,
    frames_max: 10,
    attempt: 1,
    attempts_left: 3,
    ...changes,
  };
}

export function state(changes: Partial<CaptureState> = {}): CaptureState {
  return {
    session_id: "6f1c",
    status: "In Progress",
    environment: "live",
    brand: {
      name: "ACME Bank",
      logo: null,
      wide_logo: null,
      favicon: null,
      colors: {},
      font_family: null,
      font_weight: null,
      border_radius_panel: null,
      border_radius_buttons: null,
      privacy_policy_url: null,
      skip_welcome_screen: false,
      hide_progress_bar: false,
      callback_seconds: 2,
      texts: {},
    },
    purpose: null,
    language: null,
    callback: null,
    callback_method: "initiator",
    expires_at: "2026-11-29T00:00:00Z",
    kept_until: null,
    alternative: null,
    handoff: null,
    step: step(),
    outcome: "none",
    hints: [],
    ...changes,
  };
}

export function decided(changes: Partial<CaptureState> = {}): CaptureState {
  return state({ status: "Approved", step: null, outcome: "finished", ...changes });
}

export function handoff(changes: Partial<HandoffView> = {}): HandoffView {
  return { state: "offered", device: "first", number: "42", may_capture: true, expires_at: "2026-11-22T00:05:00Z", ...changes };
}

export const RECORDING: Recording = {
  method: "PASSIVE",
  challenge: null,
  stills: [new Blob(["still"])],
  challengeFrames: [],
  observations: {
    camera: {
      label: "",
      facing: null,
      width: null,
      height: null,
      frame_rate: null,
      video_width: null,
      video_height: null,
      cameras: null,
    },
    frame_times_ms: [],
    stills_at_ms: [],
    webdriver: null,
    automation: [],
    webview: null,
    languages: [],
    time_zone: null,
    screen: null,
    automatic: true,
  },
  preview: new Blob(["still"]),
};

/** The model after these happenings. */
export function after(...happenings: Happening[]): Model {
  return happenings.reduce(reduce, INITIAL);
}
