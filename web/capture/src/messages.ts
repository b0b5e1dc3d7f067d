/**
 * What the page tells the page or the app around it: the messages of the contract (file 80 §3), for iframes and for
 * React Native web views. Nothing is sent when the page stands alone.
 */
import type { SessionStatus } from "./wire";

export type MessageType =
  | "didit:ready"
  | "didit:started"
  | "didit:step_started"
  | "didit:step_changed"
  | "didit:step_completed"
  | "didit:media_started"
  | "didit:media_captured"
  | "didit:verification_submitted"
  | "didit:status_updated"
  | "didit:completed"
  | "didit:cancelled"
  | "didit:error"
  | "didit:close_request";

export type PublicStatus = "Approved" | "Pending" | "Declined";

export interface Surroundings {
  parent: { postMessage(message: unknown, target: string): void } | null;
  native: { postMessage(message: string): void } | null;
}

/** The windows around this page; null where there is none. */
export function surroundingsOf(window_: Window): Surroundings {
  const native = (window_ as { ReactNativeWebView?: Surroundings["native"] }).ReactNativeWebView ?? null;
  return { parent: window_.parent === window_ ? null : window_.parent, native };
}

/** The contract's public word for a status: approved, declined, and everything else is pending. */
export function publicStatus(status: SessionStatus): PublicStatus {
  return status === "Approved" || status === "Declined" ? status : "Pending";
}

/** Sends messages, and exactly one that ends the attempt. */
export class Messages {
  #ended = false;
  #status: SessionStatus | null = null;

  constructor(private readonly around: Surroundings) {}

  send(type: MessageType, data: Record<string, unknown> = {}): void {
    const message = { type, data, timestamp: Date.now() };
    // The page cannot know who embeds it, and nothing in a message is secret.
    this.around.parent?.postMessage(message, "*");
    this.around.native?.postMessage(JSON.stringify(message));
  }

  /** The attempt is over with a result. Says whether this was the message that ended it. */
  completed(sessionId: string, status: SessionStatus): boolean {
    return this.#end("didit:completed", { sessionId, status: publicStatus(status) });
  }

  /** The person left. Says whether this was the message that ended the attempt. */
  cancelled(sessionId: string, status?: SessionStatus): boolean {
    return this.#end("didit:cancelled", status ? { sessionId, status: publicStatus(status) } : { sessionId });
  }

  /** Tell a status once; `step` is what comes next. The first status seen is where we start and no news. */
  status(status: SessionStatus, step: string | null): void {
    const news = this.#status !== null && this.#status !== status;
    this.#status = status;
    if (news) this.send("didit:status_updated", step ? { status, step } : { status });
  }

  /** The person starts again after leaving: a new attempt that may end once. */
  again(): void {
    this.#ended = false;
  }

  #end(type: MessageType, data: Record<string, unknown>): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.send(type, data);
    return true;
  }
}
