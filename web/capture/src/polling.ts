/**
 * Asking the server how things stand while another device, or another window, may change them.
 */
import { ApiError } from "./api";
import type { Model, Screen } from "./model";
import type { Session } from "./session";

const WATCHING: readonly Screen[] = ["handoff", "handoff-waiting", "handoff-number", "continue-elsewhere", "camera-problem"];
const DONE: readonly Screen[] = ["result", "error", "cancelled"];

/** Every 1.5 s while this page waits for another device; up to 15 s when the server does not answer. */
const WATCH_MS = 1500;
const LONGEST_MS = 15_000;
/** A second device shows that it is still there: the server frees the first after 45 s of silence. */
const ALIVE_MS = 10_000;
const IDLE_MS = 1000;

/** Milliseconds until the next question, or null when there is nothing to ask now. */
export function interval(model: Model, failures: number): number | null {
  if (DONE.includes(model.screen)) return null;
  if (WATCHING.includes(model.screen)) return Math.min(LONGEST_MS, WATCH_MS * 2 ** failures);
  return model.capture?.handoff?.device === "second" ? ALIVE_MS : null;
}

/** Ask for as long as the page lives. */
export async function keepAsking(session: Session): Promise<void> {
  let failures = 0;
  for (;;) {
    const wait = interval(session.model, failures);
    await session.host.transport.wait(wait ?? IDLE_MS);
    if (wait === null || interval(session.model, failures) === null) continue;
    const before = session.model.screen;
    try {
      const capture = await session.api.poll();
      failures = 0;
      // The person may have gone on while the answer was under way.
      if (session.model.screen === before) session.dispatch({ type: "polled", capture });
    } catch (error) {
      failures += 1;
      if (error instanceof ApiError && [401, 403, 410].includes(error.status)) session.fail(error);
    }
  }
}
