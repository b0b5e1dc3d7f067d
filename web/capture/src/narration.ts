/**
 * Which messages a change of the model means for the page or app around this one.
 */
import type { Messages } from "./messages";
import { methodOf, type Happening, type Model } from "./model";
import { isUnfinished, type CaptureStep } from "./wire";

/** Tell what happened between two models. Completion and cancellation are sent before anything redirects. */
export function narrate(messages: Messages, before: Model, after: Model, event: Happening): void {
  const { capture } = after;
  if (capture === null) {
    if (event.type === "failed") messages.send("didit:error", { error: event.failure.kind });
    return;
  }
  if (before.capture === null) messages.send("didit:ready", { sessionId: capture.session_id });
  if (capture !== before.capture) messages.status(capture.status, nameOf(capture.step));
  narrateStep(messages, before, after, event);
  if (event.type === "camera-failed") messages.send("didit:error", { error: `camera_${event.problem}` });
  if (event.type === "failed") messages.send("didit:error", { error: event.failure.kind });
  else if (after.screen === "error" && before.screen !== "error") {
    messages.send("didit:error", { error: after.failure.kind });
  }
  if (after.screen === "result") messages.completed(capture.session_id, capture.status);
  if (event.type === "left" && event.reason !== "alternative") {
    const decided = !isUnfinished(capture.status);
    messages.cancelled(capture.session_id, decided ? capture.status : undefined);
  }
}

function narrateStep(messages: Messages, before: Model, after: Model, event: Happening): void {
  const step = nameOf(before.capture?.step ?? null);
  if (after.screen === "framing" && before.screen !== "framing") {
    messages.send("didit:step_started", { step });
    messages.send("didit:media_started", { step, mediaType: mediaOf(before), isAuto: true });
  }
  if (event.type === "recorded") {
    const isAuto = event.recording.observations.automatic ?? true;
    messages.send("didit:media_captured", { step, mediaType: mediaOf(before), isAuto });
  }
  if (before.screen === "uploading" && after.screen === "checking") {
    messages.send("didit:verification_submitted", { step });
  }
  if (event.type === "answered" && event.capture.outcome !== "retry") {
    const nextStep = nameOf(event.capture.step);
    messages.send("didit:step_completed", { step, nextStep });
    if (nextStep !== null) messages.send("didit:step_changed", { step: nextStep, previousStep: step });
  }
}

/** A step by its feature, in the small letters the contract's samples use. */
function nameOf(step: CaptureStep | null): string | null {
  return step === null ? null : step.feature.toLowerCase();
}

function mediaOf(model: Model): string {
  const step = model.capture?.step;
  return step && methodOf(step, model.chosen) !== "PASSIVE" ? "video" : "selfie";
}
