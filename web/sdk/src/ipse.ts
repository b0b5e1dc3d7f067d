/**
 * The browser SDK: opens the page of a session over yours, inside yours or instead of yours, and tells how it ended.
 *
 * Method, option and event names are those of the contract's browser SDK (file 80 §3), and the class is exported under
 * its name too. docs/sdk.md has the examples.
 */
import { addressOf } from "./address";
import { loadCollector, OneAtATime } from "./collecting";
import { eventIn, summaryOf } from "./messages";
import { NoSurface, showInline, showModal, type Surface } from "./surface";
import { textsFor } from "./texts";
import type { Configuration, Device, Result, SdkError, SessionSummary, StartOptions, State, VerificationEvent } from "./types";

export type * from "./types";

const TOP = 2_147_483_647;
const devices = new OneAtATime(loadCollector);

/** One start: what is shown, and what it needs to end. */
interface Attempt {
  configuration: Configuration;
  surface: Surface;
  origin: string;
  listen(message: MessageEvent): void;
  settle(result: Result): void;
  session: SessionSummary | undefined;
  /** The result was delivered; what is left is to close. */
  ended: boolean;
  /** The question whether to leave is open. */
  asking: boolean;
}

/** Opens verifications, one at a time. Use `IpseSdk.shared`. */
export class IpseSdk {
  static #shared: IpseSdk | undefined;
  #attempt: Attempt | undefined;
  #state: State = "idle";

  /** How it ended: once for every start. Decide by the signed webhook, not by this. */
  onComplete: ((result: Result) => void) | undefined;
  /** `error` comes with the state `error` only. */
  onStateChange: ((state: State, error?: SdkError) => void) | undefined;
  /** Every message of the page, in its order. */
  onEvent: ((event: VerificationEvent) => void) | undefined;

  /** The instance of this page. */
  static get shared(): IpseSdk {
    return (IpseSdk.#shared ??= new IpseSdk());
  }

  /**
   * Describe the person's browser for your server, which sends it on as `device` of `POST /v3/step-up/evaluate/`.
   *
   * Never rejects; null when it failed or took longer than 3 s: without a device the policy asks for a face.
   */
  static device(): Promise<Device | null> {
    return devices.collected();
  }

  get state(): State {
    return this.#state;
  }

  /** The same as `IpseSdk.device()`. */
  device(): Promise<Device | null> {
    return IpseSdk.device();
  }

  /**
   * Open the page of a session. Whatever was open is closed and reported as cancelled first.
   *
   * Resolves with the result that `onComplete` receives, and never rejects; after a redirect it does not settle.
   */
  startVerification({ url, configuration = {} }: StartOptions): Promise<Result> {
    this.close();
    return new Promise((resolve) => {
      const settle = (result: Result) => {
        this.onComplete?.(result);
        resolve(result);
      };
      try {
        const address = addressOf(url, configuration, location.href);
        if (configuration.mode === "redirect") location.assign(address.href);
        else this.#open(address, configuration, settle);
      } catch (reason) {
        const error: SdkError = {
          type: reason instanceof NoSurface ? reason.type : "invalid_url",
          message: reason instanceof Error ? reason.message : String(reason),
        };
        this.#enter("error", error);
        settle({ type: "failed", error });
      }
    });
  }

  /** Close what is open without asking. Without a result yet, that is `cancelled`. */
  close(): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#dismantle(attempt);
    this.#end(attempt, { type: "cancelled", ...named(attempt.session) });
  }

  /** Close and let go of everything, handlers included. */
  destroy(): void {
    this.close();
    this.onComplete = this.onStateChange = this.onEvent = undefined;
    this.#state = "idle";
    if (IpseSdk.#shared === this) IpseSdk.#shared = undefined;
  }

  #open(address: URL, configuration: Configuration, settle: (result: Result) => void): void {
    const texts = textsFor(address, navigator.languages);
    const { containerElement, embeddedContainerId } = configuration;
    const inline = configuration.mode === "inline" || (configuration.mode === undefined && configuration.embedded);
    const surface = inline
      ? showInline(address, texts, containerElement ?? document.getElementById(embeddedContainerId ?? ""))
      : showModal(address, texts, {
          container: containerElement ?? document.body,
          zIndex: configuration.zIndex ?? TOP,
          closeButton: configuration.showCloseButton ?? true,
          onClose: () => void this.#leave(attempt),
          onGone: () => this.close(),
        });
    const attempt: Attempt = {
      configuration,
      surface,
      origin: address.origin,
      settle,
      listen: (message) => {
        const event = eventIn(message, surface.frame.contentWindow, address.origin);
        if (event) this.#hear(attempt, event);
      },
      session: undefined,
      ended: false,
      asking: false,
    };
    this.#attempt = attempt;
    addEventListener("message", attempt.listen);
    this.#enter("loading");
  }

  #hear(attempt: Attempt, event: VerificationEvent): void {
    if (attempt.configuration.loggingEnabled) console.info("[ipse]", event.type, event.data);
    this.onEvent?.(event);
    // The handler may have closed us.
    if (this.#attempt !== attempt) return;
    switch (event.type) {
      case "didit:ready":
        attempt.session = summaryOf(event.data);
        this.#enter("ready");
        break;
      case "didit:completed":
        // The person may leave the result open for as long as they like: nothing is cancelled any more.
        this.#end(attempt, { type: "completed", ...named(summaryOf(event.data)) });
        if (attempt.configuration.closeModalOnComplete) this.close();
        break;
      case "didit:cancelled":
        this.#end(attempt, { type: "cancelled", ...named(summaryOf(event.data)) });
        this.close();
        break;
      case "didit:close_request":
        void this.#leave(attempt);
        break;
    }
  }

  /** The person wants to go: ask while there is something to lose. */
  async #leave(attempt: Attempt): Promise<void> {
    if (attempt.asking || this.#attempt !== attempt) return;
    if (!attempt.ended && (attempt.configuration.showExitConfirmation ?? true)) {
      attempt.asking = true;
      const leaves = await attempt.surface.confirmed();
      attempt.asking = false;
      // A result that came meanwhile is not undone; the window then closes all the same.
      if (!leaves) return;
    }
    if (this.#attempt === attempt) this.close();
  }

  #end(attempt: Attempt, result: Result): void {
    if (attempt.ended) return;
    attempt.ended = true;
    attempt.settle(result);
  }

  #dismantle(attempt: Attempt): void {
    this.#attempt = undefined;
    removeEventListener("message", attempt.listen);
    attempt.surface.remove();
    this.#enter("idle");
  }

  #enter(state: State, error?: SdkError): void {
    if (this.#state === state && !error) return;
    this.#state = state;
    if (error) this.onStateChange?.(state, error);
    else this.onStateChange?.(state);
  }
}

/** A result leaves `session` out where none is known. */
function named(session: SessionSummary | undefined): { session?: SessionSummary } {
  return session ? { session } : {};
}

/** For code that was written for the contract's SDK. */
export { IpseSdk as DiditSdk };
