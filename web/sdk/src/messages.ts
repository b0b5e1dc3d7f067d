/** Which messages are believed, and what they say (contract 80 §3). */
import type { EventType, SessionSummary, Status, VerificationEvent } from "./types";

/** What is read of a `MessageEvent`. */
export type Arrived = Pick<MessageEvent, "origin" | "source" | "data">;

const TYPES = new Set<string>(
  (
    "ready started step_started step_changed step_completed media_started media_captured document_selected " +
    "verification_submitted code_sent code_verified status_updated completed cancelled error close_request"
  )
    .split(" ")
    .map((name) => `didit:${name}`),
);

/**
 * The event in a message, or null when it is not for us: the page answers from its own window and its own origin.
 *
 * The contract's SDK compares host names only; another port of the same host may be somebody else's server.
 */
export function eventIn(message: Arrived, frame: MessageEventSource | null, origin: string): VerificationEvent | null {
  if (!frame || message.source !== frame || message.origin !== origin) return null;
  const body = parsed(message.data);
  if (!isRecord(body) || typeof body.type !== "string" || !TYPES.has(body.type)) return null;
  const event = { type: body.type as EventType, data: isRecord(body.data) ? body.data : {} };
  // The data is the page's own; only what the SDK itself acts on is checked, where it does (summaryOf).
  return (typeof body.timestamp === "number" ? { ...event, timestamp: body.timestamp } : event) as VerificationEvent;
}

/** The session that an event names; a status that is missing or unknown is pending. */
export function summaryOf(data: { sessionId?: unknown; status?: unknown }): SessionSummary | undefined {
  if (typeof data.sessionId !== "string" || !data.sessionId) return undefined;
  const status: Status = data.status === "Approved" || data.status === "Declined" ? data.status : "Pending";
  return { sessionId: data.sessionId, status };
}

function parsed(data: unknown): unknown {
  if (typeof data !== "string") return data;
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
