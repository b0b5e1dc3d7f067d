/**
 * What the page knows and shows. Pure: `reduce` takes what happened and says what is on the screen next.
 */
import type { CameraProblem, HintCode, Method, Phase, Recording, Rgb } from "./recording/types";
import { isUnfinished, type CancelReason, type CaptureState, type CaptureStep, type HandoffOffer } from "./wire";

export type Screen =
  | "loading"
  | "purpose"
  | "ready"
  | "camera-problem"
  | "framing"
  | "challenge"
  | "uploading"
  | "checking"
  | "retry"
  | "result"
  | "handoff"
  | "handoff-waiting"
  | "handoff-number"
  | "continue-elsewhere"
  | "cancelled"
  | "error"
  | "offline";

export type Failure =
  | { kind: "expired" | "unknown_link" | "used_link" | "finished" | "unsupported" | "server" | "stopped" }
  | { kind: "too_many" | "locked"; seconds: number };

export interface Model {
  screen: Screen;
  capture: CaptureState | null;
  /** Hash of the action that the person last saw on the purpose screen. Only this one is sent as seen. */
  seen: string | null;
  /** The person's own choice of method; null: the step's. */
  chosen: Method | null;
  cameraProblem: CameraProblem;
  failure: Failure;
  hint: HintCode | null;
  phase: Phase | null;
  /** Which part of the challenge is shown, from 1. */
  part: number;
  parts: number;
  colour: Rgb | null;
  /** 0 to 1, of the recording or of the upload. */
  progress: number;
  manualAllowed: boolean;
  recording: Recording | null;
  /** Why an upload does not go on: no connection, or a busy server. */
  upload: "sending" | "no-connection" | "busy";
  /** Why the same step comes again: codes of the server, and whether it cost a try. */
  reasons: string[];
  counted: boolean;
  offer: HandoffOffer | null;
  left: CancelReason;
  /** The workflow keeps the session on this device. */
  handoffRefused: boolean;
  online: boolean;
}

export type Happening =
  | { type: "state"; capture: CaptureState }
  | { type: "polled"; capture: CaptureState }
  | { type: "refreshed"; capture: CaptureState }
  | { type: "go"; screen: "purpose" | "ready" | "framing" | "offline" }
  | { type: "method"; method: Method }
  | { type: "camera-failed"; problem: CameraProblem }
  | { type: "hint"; hint: HintCode | null }
  | { type: "phase"; phase: Phase | null }
  | { type: "challenge"; phases: number }
  | { type: "colour"; colour: Rgb | null }
  | { type: "progress"; share: number }
  | { type: "manual-allowed" }
  | { type: "recorded"; recording: Recording }
  | { type: "sent"; share: number }
  | { type: "upload-waits"; why: "no-connection" | "busy" }
  | { type: "answered"; capture: CaptureState }
  | { type: "not-counted"; reason: string; capture: CaptureState }
  | { type: "offered"; offer: HandoffOffer }
  | { type: "handoff-refused" }
  | { type: "left"; reason: CancelReason; capture: CaptureState | null }
  | { type: "failed"; failure: Failure }
  | { type: "online"; online: boolean };

export const INITIAL: Model = {
  screen: "loading",
  capture: null,
  seen: null,
  chosen: null,
  cameraProblem: "unknown",
  failure: { kind: "server" },
  hint: null,
  phase: null,
  part: 0,
  parts: 0,
  colour: null,
  progress: 0,
  manualAllowed: false,
  recording: null,
  upload: "sending",
  reasons: [],
  counted: true,
  offer: null,
  left: "cancelled",
  handoffRefused: false,
  online: true,
};

/** What one try of recording leaves behind, cleared before the next. */
const FRESH = { hint: null, phase: null, part: 0, parts: 0, colour: null, progress: 0, manualAllowed: false, recording: null };

const RECORDING: readonly Screen[] = ["framing", "challenge"];
/** Where a face is about to be shown: an action that has changed is shown first. */
const BEFORE_THE_CAMERA: readonly Screen[] = ["ready", "framing", "challenge", "retry", "camera-problem"];
const WITH_THE_OTHER: readonly Screen[] = ["handoff", "handoff-waiting", "continue-elsewhere"];

/** How the face is shown in a step: what the person chose where the step allows it, else the step's own. */
export function methodOf(step: CaptureStep, chosen: Method | null): Method {
  if (chosen !== null && step.methods.includes(chosen)) return chosen;
  return step.method ?? "PASSIVE";
}

/** The model after something happened. Nobody goes on before an action that they have not seen. */
export function reduce(model: Model, event: Happening): Model {
  const next = after(model, event);
  const action = next.capture?.action_hash ?? null;
  // An answer to "go on" may bring another action than the one that was agreed to: that one is not seen yet.
  if (next.screen === "purpose" && event.type !== "refreshed") return { ...next, seen: action };
  if (action !== next.seen && BEFORE_THE_CAMERA.includes(next.screen)) {
    return { ...next, ...FRESH, screen: "purpose", seen: action };
  }
  return next;
}

function after(model: Model, event: Happening): Model {
  switch (event.type) {
    case "state":
      return placed({ ...model, ...FRESH, capture: event.capture });
    case "polled":
      return polled(model, event.capture);
    case "refreshed":
      return { ...model, capture: event.capture };
    case "go":
      return { ...model, ...FRESH, screen: event.screen };
    case "method":
      return { ...model, ...FRESH, chosen: event.method, screen: "ready" };
    case "camera-failed":
      return { ...model, ...FRESH, screen: "camera-problem", cameraProblem: event.problem };
    case "hint":
      return RECORDING.includes(model.screen) ? { ...model, hint: event.hint } : model;
    case "challenge":
      return { ...model, parts: event.phases };
    case "phase":
      return shown(model, event.phase);
    case "colour":
      return { ...model, colour: event.colour };
    case "progress":
      return { ...model, progress: event.share };
    case "manual-allowed":
      return { ...model, manualAllowed: true };
    case "recorded":
      return { ...model, ...FRESH, screen: "uploading", recording: event.recording, upload: "sending" };
    case "sent":
      return sent(model, event.share);
    case "upload-waits":
      return { ...model, screen: "uploading", upload: event.why };
    case "answered":
      return answered(model, event.capture);
    case "not-counted":
      return { ...placed({ ...model, capture: event.capture }, "retry"), reasons: [event.reason], counted: false };
    case "offered":
      return { ...model, ...FRESH, screen: "handoff", offer: event.offer };
    case "handoff-refused":
      return { ...model, handoffRefused: true };
    case "left":
      return { ...model, ...FRESH, screen: "cancelled", left: event.reason, capture: event.capture ?? model.capture };
    case "failed":
      return { ...model, ...FRESH, screen: "error", failure: event.failure };
    case "online":
      return { ...model, online: event.online };
  }
}

/** Where a session's state puts the page; `wanted` is the screen for a step that is to be done here. */
function placed(model: Model, wanted?: Screen): Model {
  const { capture } = model;
  if (capture === null) return model;
  if (capture.status === "Expired" || capture.status === "Abandoned") {
    return { ...model, screen: "error", failure: { kind: "expired" } };
  }
  if (!isUnfinished(capture.status) || capture.step === null) return { ...model, screen: "result" };
  const between = handoffScreen(capture);
  if (between !== null) return { ...model, screen: between };
  // Before the start a check that needs nothing from the person may stand first; starting runs it.
  if (!capture.step.needs.includes("selfie_frames") && capture.status !== "Not Started") {
    return { ...model, screen: "error", failure: { kind: "unsupported" } };
  }
  return { ...model, screen: wanted ?? first(capture) };
}

/** The screen a hand-off asks for, or null when this device may go on. */
function handoffScreen(capture: CaptureState): Screen | null {
  const { handoff } = capture;
  if (handoff === null) return null;
  if (handoff.device === "first") {
    if (handoff.state === "opened") return "handoff-waiting";
    return handoff.state === "active" && !handoff.may_capture ? "continue-elsewhere" : null;
  }
  if (handoff.state === "opened") return "handoff-number";
  return handoff.may_capture ? null : "continue-elsewhere";
}

/** The welcome may be skipped, but never an amount or a payee. */
function first(capture: CaptureState): Screen {
  return capture.brand.skip_welcome_screen && capture.purpose === null ? "ready" : "purpose";
}

/** News while waiting for the other device, or while the other device waits for this one. */
function polled(model: Model, capture: CaptureState): Model {
  const next = { ...model, capture };
  const between = isUnfinished(capture.status) && capture.step !== null ? handoffScreen(capture) : null;
  if (WITH_THE_OTHER.includes(model.screen) || model.screen === "handoff-number") {
    if (model.screen === "handoff" && capture.handoff?.state === "offered") return next;
    const placedNow = placed(next, "ready");
    // The second device learns that the number was refused; the first takes over where it was.
    return between !== null ? { ...next, screen: between } : placedNow;
  }
  if (capture.handoff?.device === "second" && between === "continue-elsewhere") return { ...next, ...FRESH, screen: between };
  return isUnfinished(capture.status) ? next : placed({ ...next, ...FRESH });
}

function shown(model: Model, phase: Phase | null): Model {
  if (!RECORDING.includes(model.screen)) return model;
  if (phase === null) return { ...model, phase: null, colour: null };
  return { ...model, screen: "challenge", phase, part: model.part + 1, hint: null };
}

function sent(model: Model, share: number): Model {
  if (model.screen !== "uploading" && model.screen !== "checking") return model;
  return { ...model, upload: "sending", progress: share, screen: share >= 1 ? "checking" : "uploading" };
}

function answered(model: Model, capture: CaptureState): Model {
  const next = { ...model, capture, upload: "sending" as const };
  // A try that failed keeps its picture: the person sees what was wrong with it.
  if (capture.outcome === "retry") return { ...placed(next, "retry"), reasons: capture.hints, counted: true };
  return placed({ ...next, ...FRESH, chosen: null }, "ready");
}
