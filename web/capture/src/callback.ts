/**
 * The way back: which device returns to the operator, and to which address.
 */
import type { CaptureState, SessionStatus } from "./wire";

const SCRIPTS = /^\s*(javascript|data|vbscript|blob|file):/i;

/**
 * The operator's address with `verificationSessionId` and `status` added. Its own query stays as it is written,
 * letter for letter: it may be signed. Null for an address that would run a script here.
 */
export function callbackUrl(callback: string, sessionId: string, status: SessionStatus | "Alternative"): string | null {
  if (SCRIPTS.test(callback)) return null;
  const [address = "", ...fragment] = callback.split("#");
  const joint = !address.includes("?") ? "?" : /[?&]$/.test(address) ? "" : "&";
  const added = `verificationSessionId=${encodeURIComponent(sessionId)}&status=${encodeURIComponent(status)}`;
  const hash = fragment.length > 0 ? `#${fragment.join("#")}` : "";
  return `${address}${joint}${added}${hash}`;
}

/** Whether this device goes to the callback (`callback_method`): the one that began, the one that finished, or both. */
export function returnsHere(capture: CaptureState): boolean {
  if (!capture.callback) return false;
  const { handoff } = capture;
  const began = handoff?.device !== "second";
  const finished = handoff === null || (handoff.device === "second") === (handoff.state === "active");
  switch (capture.callback_method) {
    case "initiator":
      return began;
    case "completer":
      return finished;
    case "both":
      return true;
  }
}
