/**
 * The session as this page lives it: what the person does becomes calls of the API, and their answers the next screen.
 */
import { Api, ApiError, NoAnswer, type Transport } from "./api";
import { sessionPath, type Address } from "./address";
import { callbackUrl } from "./callback";
import { PATIENCE_MS, type Reporter } from "./device/reporter";
import type { Messages } from "./messages";
import { INITIAL, reduce, type Failure, type Happening, type Model } from "./model";
import { narrate } from "./narration";
import { deliver } from "./submitting";
import type { ChallengeView, Method, PhaseDone, Recording } from "./recording/types";
import type { CaptureState } from "./wire";

/** What the page lends its session. */
export interface Host {
  address: Address;
  /** The query of the address, with its question mark. */
  search: string;
  transport: Transport;
  messages: Messages;
  /** Describes this device; absent where nothing is to be described. */
  reporter?: Reporter;
  /** Leave this page. */
  leaveFor(url: string): void;
  /** Put a path into the address bar without loading it. */
  rewriteAddress(path: string): void;
}

export class Session {
  model: Model = INITIAL;
  api: Api;
  #listeners = new Set<(model: Model) => void>();
  #started = false;
  #wake: () => void = () => undefined;

  constructor(readonly host: Host) {
    this.api = new Api(null, host.transport);
  }

  /** Be told of every change. Returns how to stop. */
  subscribe(listener: (model: Model) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispatch(event: Happening): void {
    const before = this.model;
    this.model = reduce(before, event);
    narrate(this.host.messages, before, this.model, event);
    for (const listener of this.#listeners) listener(this.model);
  }

  /** Read the session the address names. Without a connection it keeps trying. */
  async open(): Promise<void> {
    for (;;) {
      try {
        const token = await this.#token();
        if (token === null) return this.dispatch({ type: "failed", failure: { kind: "unknown_link" } });
        this.api = new Api(token, this.host.transport);
        return this.dispatch({ type: "state", capture: await this.api.state() });
      } catch (error) {
        if (!(error instanceof NoAnswer)) return this.fail(error);
        this.dispatch({ type: "go", screen: "offline" });
        await this.pause(3000);
      }
    }
  }

  /** The person goes on from the purpose: from now on the session is In Progress. */
  proceed = (): Promise<void> =>
    this.#attempt(async () => {
      await this.#start();
      this.dispatch({ type: "go", screen: "ready" });
    });

  openCamera = (): Promise<void> =>
    this.#attempt(async () => {
      await this.#start();
      this.dispatch({ type: "go", screen: "framing" });
    });

  startChallenge = async (method: Method): Promise<ChallengeView> => {
    const challenge = await this.api.startChallenge(this.#node(), method, this.model.seen);
    this.dispatch({ type: "challenge", phases: challenge.phases });
    return challenge;
  };

  phaseDone = (challenge: string, done: PhaseDone): Promise<ChallengeView> => this.api.phaseDone(challenge, done);

  /** The recording is complete: it stays on this page until the server has answered. */
  recorded = async (recording: Recording): Promise<void> => {
    const node = this.#node();
    this.dispatch({ type: "recorded", recording });
    await this.#attempt(() => deliver(this, node, recording));
  };

  /** A recording that cannot be used, through no fault of the person: a challenge ran out, the page was hidden. */
  recordingLost = (reason: "took_too_long" | "other"): Promise<void> =>
    this.#attempt(async () => this.dispatch({ type: "not-counted", reason, capture: await this.api.state() }));

  /** The person says that the action is not theirs. */
  reportNotMe = (): Promise<void> =>
    this.#attempt(async () => {
      await this.#start();
      this.dispatch({ type: "left", reason: "not_me", capture: await this.api.cancel("not_me") });
    });

  /** The person leaves and may come back. Leaving works without a connection too. */
  stop = async (): Promise<void> => {
    let capture: CaptureState | null = null;
    try {
      if (this.#started) capture = await this.api.cancel("cancelled");
    } catch {
      // The server will see it by the clock.
    }
    this.dispatch({ type: "left", reason: "cancelled", capture });
  };

  /** The way without a picture of the face that the workflow offers. */
  takeAlternative = (): Promise<void> =>
    this.#attempt(async () => {
      const capture = this.model.capture;
      if (capture?.alternative == null) return;
      await this.#start();
      const left = await this.api.cancel("alternative");
      this.dispatch({ type: "left", reason: "alternative", capture: left });
      const url = callbackUrl(capture.alternative.url, capture.session_id, "Alternative");
      if (url !== null) this.host.leaveFor(url);
    });

  /** Begin anew after leaving or after an error. */
  restart = (): void => {
    this.host.messages.again();
    void this.#attempt(async () => this.dispatch({ type: "state", capture: await this.api.state() }));
  };

  offerHandoff = (): Promise<void> =>
    this.#attempt(async () => {
      await this.#start();
      try {
        this.dispatch({ type: "offered", offer: await this.api.offerHandoff() });
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 403) throw error;
        this.dispatch({ type: "handoff-refused" });
      }
    });

  /** Both screens show the same number. */
  confirmHandoff = (): Promise<void> =>
    this.#attempt(async () => this.dispatch({ type: "state", capture: await this.api.confirmHandoff() }));

  /** End the hand-off: the first device takes over again. */
  endHandoff = (): Promise<void> =>
    this.#attempt(async () => this.dispatch({ type: "polled", capture: await this.api.endHandoff() }));

  /** Back to the operator, with the session's id and status. */
  returnToCallback = (): void => {
    const { capture } = this.model;
    if (capture?.callback == null) return;
    this.host.messages.completed(capture.session_id, capture.status);
    const url = callbackUrl(capture.callback, capture.session_id, capture.status);
    // A moment, so that the page around this one hears the message first.
    if (url !== null) setTimeout(() => this.host.leaveFor(url), 0);
  };

  /** Wait so many milliseconds, or until the connection is back or the person asks. */
  pause(ms: number): Promise<void> {
    return Promise.race([this.host.transport.wait(ms), new Promise<void>((resolve) => (this.#wake = resolve))]);
  }

  /** End a pause now. */
  wake = (): void => this.#wake();

  /** Show the screen an error means. */
  fail(error: unknown): void {
    this.dispatch({ type: "failed", failure: failureOf(error, this.host.address.entry.kind) });
  }

  async #token(): Promise<string | null> {
    const { entry } = this.host.address;
    switch (entry.kind) {
      case "session":
        return entry.token;
      case "handoff":
        return this.#adopt((await this.api.openHandoff(entry.token)).session_token);
      case "share":
        return this.#adopt((await this.api.share(entry.workflow)).session_token);
      case "none":
        return null;
    }
  }

  /** A link that makes a session works once: from now on the address names the session, so that a reload works. */
  #adopt(token: string): string {
    this.host.address.entry = { kind: "session", token };
    this.host.rewriteAddress(sessionPath(this.host.address, token, this.host.search));
    return token;
  }

  async #start(): Promise<void> {
    if (this.#started) return;
    const capture = await this.#startWithReport();
    this.#started = true;
    this.host.messages.send("didit:started");
    this.dispatch({ type: "refreshed", capture });
  }

  /** The report goes with the start where it is ready in time, and after it otherwise. It never stops a session. */
  async #startWithReport(): Promise<CaptureState> {
    const { reporter, transport } = this.host;
    const { api } = this;
    const report = reporter ? await reporter.within(transport.wait(PATIENCE_MS)) : null;
    try {
      const capture = await api.start(report);
      if (report === null) void reporter?.eventually().then((late) => late && api.reportDevice(late)).catch(() => null);
      return capture;
    } catch (error) {
      if (report === null || !(error instanceof ApiError) || ![400, 413].includes(error.status)) throw error;
      return api.start(null);
    }
  }

  #node(): string {
    const step = this.model.capture?.step;
    if (!step) throw new Error("There is no step to record for.");
    return step.node_id;
  }

  /** Do it; on a conflict read the state again, on anything else say what is wrong. */
  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) return this.fail(error);
      try {
        this.dispatch({ type: "state", capture: await this.api.state() });
      } catch (second) {
        this.fail(second);
      }
    }
  }
}

/** What an error means to the person. */
export function failureOf(error: unknown, entry: Address["entry"]["kind"]): Failure {
  if (!(error instanceof ApiError)) return { kind: "server" };
  switch (error.status) {
    case 410:
      return { kind: entry === "handoff" ? "used_link" : "expired" };
    case 401:
    case 403:
    case 404:
      return { kind: entry === "handoff" ? "used_link" : "unknown_link" };
    case 409:
      return { kind: "finished" };
    case 429:
      if (error.locked && error.retryAfter === null) return { kind: "stopped" };
      if (error.locked) return { kind: "locked", seconds: error.retryAfter ?? 60 };
      return { kind: "too_many", seconds: error.retryAfter ?? 60 };
    default:
      return { kind: "server" };
  }
}
