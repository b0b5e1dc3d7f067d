/**
 * Getting a recording to the server and its answer back, over any connection. The recording is never dropped before
 * the server has answered; repeating it under the same key gets the same answer.
 */
import { ApiError, NoAnswer } from "./api";
import type { Session } from "./session";
import { submissionKey } from "./upload";
import type { Recording } from "./recording/types";
import type { CaptureState } from "./wire";

const LONGEST_WAIT_MS = 15_000;
/** How often a conflict with no visible cause is worth repeating. */
const CONFLICTS = 3;

/** Submit until there is an answer. Throws what no repetition can mend. */
export async function deliver(session: Session, node: string, recording: Recording): Promise<void> {
  const action = session.model.seen;
  const submission = { recording, key: submissionKey(), action };
  const attempt = session.model.capture?.step?.attempt;
  let conflicts = 0;
  for (let failures = 0; session.model.screen === "uploading" || session.model.screen === "checking"; failures += 1) {
    try {
      const sent = (share: number) => session.dispatch({ type: "sent", share });
      const capture = await session.api.submit(node, submission, sent);
      return session.dispatch({ type: "answered", capture });
    } catch (error) {
      const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures);
      if (error instanceof NoAnswer) {
        session.dispatch({ type: "upload-waits", why: "no-connection" });
        await session.pause(wait);
      } else if (!(error instanceof ApiError)) {
        throw error;
      } else if (error.locked) {
        throw error;
      } else if ([429, 502, 503, 504].includes(error.status)) {
        session.dispatch({ type: "upload-waits", why: "busy" });
        await session.pause(error.retryAfter === null ? wait : error.retryAfter * 1000);
      } else if ([400, 410, 413, 422].includes(error.status)) {
        const capture = await session.api.state();
        const reason = error.status === 410 ? "took_too_long" : "other";
        return session.dispatch({ type: "not-counted", reason, capture });
      } else if (error.status === 409) {
        const capture = await session.api.state();
        conflicts += 1;
        if (conflicts > CONFLICTS || !sameStep(capture, node, attempt) || (capture.action_hash ?? null) !== action) {
          return session.dispatch({ type: "state", capture });
        }
        await session.pause(wait);
      } else {
        throw error;
      }
    }
  }
}

function sameStep(capture: CaptureState, node: string, attempt: number | undefined): boolean {
  const mayCapture = capture.handoff?.may_capture ?? true;
  return mayCapture && capture.step?.node_id === node && capture.step.attempt === attempt;
}
