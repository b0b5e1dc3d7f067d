/**
 * The capture API, typed. Calls that may be repeated are repeated when the connection fails or the server is busy.
 */
import type { DeviceReport } from "./device/report";
import { upload, type Submission } from "./upload";
import type { ChallengeView, PhaseDone } from "./recording/types";
import type { CancelReason, CaptureState, HandoffOffer, HandoffOpened, SharedSession } from "./wire";

/**
 * The server answered with an error: `status` is HTTP's, `retryAfter` in seconds where it was given. `locked`: too many
 * attempts failed for this person, which is no reason to repeat the call.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly retryAfter: number | null = null,
    readonly locked: boolean = false,
  ) {
    super(`${status} ${detail}`);
    this.name = "ApiError";
  }
}

/** No answer: offline, a lost connection, or a server that is not there. */
export class NoAnswer extends Error {
  constructor() {
    super("No answer from the server.");
    this.name = "NoAnswer";
  }
}

export interface Transport {
  fetch: typeof fetch;
  request: () => XMLHttpRequest;
  /** Resolves after so many milliseconds. */
  wait: (ms: number) => Promise<void>;
}

/** How long to wait before each repetition, in milliseconds. */
const WAITS_MS = [400, 1000, 2500];

export const BROWSER: Transport = {
  fetch: (input, init) => fetch(input, init),
  request: () => new XMLHttpRequest(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Calls on behalf of one session's token. Each may throw `ApiError` or `NoAnswer`. */
export class Api {
  constructor(
    private readonly token: string | null,
    private readonly transport: Transport = BROWSER,
  ) {}

  /** One attempt only: who polls decides when to ask again. */
  poll(): Promise<CaptureState> {
    return this.#once("GET", "session/");
  }

  state(): Promise<CaptureState> {
    return this.#call("GET", "session/");
  }

  start(device: DeviceReport | null): Promise<CaptureState> {
    return this.#call("POST", "start/", device === null ? undefined : { device });
  }

  /** One attempt only: a session goes on without it. */
  reportDevice(device: DeviceReport): Promise<void> {
    return this.#once("POST", "device/", device);
  }

  /** `action` is the hash of the action that the person saw. */
  startChallenge(node: string, method: string, action: string | null): Promise<ChallengeView> {
    const body = action === null ? { method } : { method, action_hash: action };
    return this.#call("POST", `steps/${encodeURIComponent(node)}/challenge/`, body);
  }

  phaseDone(challenge: string, done: PhaseDone): Promise<ChallengeView> {
    return this.#call("POST", `challenges/${encodeURIComponent(challenge)}/phases/`, done);
  }

  /** Send a recording. `sent` hears the share of bytes that went out, 0 to 1. One attempt: the caller repeats. */
  submit(node: string, submission: Submission, sent: (share: number) => void): Promise<CaptureState> {
    const url = `/v1/capture/steps/${encodeURIComponent(node)}/`;
    return upload(this.transport.request(), url, this.#headers(), submission, sent) as Promise<CaptureState>;
  }

  offerHandoff(): Promise<HandoffOffer> {
    return this.#call("POST", "handoffs/");
  }

  openHandoff(token: string): Promise<HandoffOpened> {
    return this.#call("POST", "handoffs/open/", { token });
  }

  confirmHandoff(): Promise<CaptureState> {
    return this.#call("POST", "handoffs/confirm/");
  }

  endHandoff(): Promise<CaptureState> {
    return this.#call("POST", "handoffs/end/");
  }

  cancel(reason: CancelReason): Promise<CaptureState> {
    return this.#call("POST", "cancel/", { reason });
  }

  share(workflow: string): Promise<SharedSession> {
    return this.#call("POST", `share/${encodeURIComponent(workflow)}/`);
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    for (const wait of WAITS_MS) {
      try {
        return await this.#once<T>(method, path, body);
      } catch (error) {
        const pause = pauseAfter(error, wait);
        if (pause === null) throw error;
        await this.transport.wait(pause);
      }
    }
    return this.#once<T>(method, path, body);
  }

  async #once<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers = this.#headers();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await this.transport.fetch(`/v1/capture/${path}`, {
        method,
        headers,
        cache: "no-store",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new NoAnswer();
    }
    if (!response.ok) throw errorOf(response.status, await response.text(), response.headers.get("Retry-After"));
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  #headers(): Record<string, string> {
    return this.token === null ? {} : { "Session-Token": this.token };
  }
}

/** The error an answer stands for. Bodies are `{"detail": …}`, with `locked` for a lock-out; anything else says nothing a person could use. */
export function errorOf(status: number, body: string, retryAfter: string | null): ApiError {
  let detail = "";
  let locked = false;
  try {
    const parsed = JSON.parse(body) as { detail?: unknown; locked?: unknown };
    locked = typeof parsed.locked === "object" && parsed.locked !== null;
    if (typeof parsed.detail === "string") detail = parsed.detail;
  } catch {
    // A proxy's page, not ours.
  }
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new ApiError(status, detail, Number.isFinite(seconds) ? seconds : null, locked);
}

/** Milliseconds to wait before the same call is worth repeating, or null when it is not. */
export function pauseAfter(error: unknown, fallback: number): number | null {
  if (error instanceof NoAnswer) return fallback;
  if (!(error instanceof ApiError)) return null;
  if (![502, 503, 504].includes(error.status)) return null;
  return Math.min(30_000, (error.retryAfter ?? 0) * 1000 || fallback);
}
