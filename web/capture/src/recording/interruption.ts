/** A challenge cannot wait while the person is elsewhere. */

/** The page was hidden during a challenge: what was recorded is void and a new challenge is needed. */
export class RecordingInterrupted extends Error {
  override readonly name = "RecordingInterrupted";
}

/** A signal that follows `outer` and aborts with `RecordingInterrupted` when the page is hidden. Call `end` after use. */
export function whileVisible(outer: AbortSignal): { signal: AbortSignal; end: () => void } {
  const inner = new AbortController();
  const follow = (): void => inner.abort(outer.reason);
  const hide = (): void => {
    if (document.visibilityState === "hidden") inner.abort(new RecordingInterrupted("The page was hidden."));
  };
  outer.addEventListener("abort", follow, { once: true });
  document.addEventListener("visibilitychange", hide);
  if (outer.aborted) follow();
  hide();
  return {
    signal: inner.signal,
    end() {
      outer.removeEventListener("abort", follow);
      document.removeEventListener("visibilitychange", hide);
    },
  };
}

/** Resolves after `ms`; rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    }, ms);
    signal.addEventListener("abort", giveUp, { once: true });
  });
}

/** The time of the next animation frame, when what was set before it is on the screen. */
export function nextPaint(signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const giveUp = (): void => {
      cancelAnimationFrame(handle);
      reject(signal.reason);
    };
    const handle = requestAnimationFrame(() => {
      signal.removeEventListener("abort", giveUp);
      resolve(performance.now());
    });
    signal.addEventListener("abort", giveUp, { once: true });
  });
}
