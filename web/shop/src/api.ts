/** The shop's own server calls (src/ipse/shop/endpoints.py). */

export type Method = "PASSIVE" | "ACTIVE_3D" | "FLASHING";
export type Who = "same" | "other";

export interface Opened {
  session: string;
  customer: string;
  url: string;
  curl: string;
}

export interface Arrived {
  status: string;
  webhook_type: string;
  headers: Record<string, string>;
  body: string;
  raw: boolean;
  canonical: boolean;
  /** Of the verdict that the shop redeemed for the transfer. */
  claims: Record<string, unknown> | null;
  after_ms: number | null;
}

/** The server's own sentence about what went wrong. */
export class Refused extends Error {}

export const enrol = () => post<Opened>("enrolments");
export const transfer = (customer: string, method: Method) => post<Opened>("transfers", { customer, method });
export const forget = (customer: string) => post<null>("forget", { customer });
export const playSample = (session: string, who: Who) => post<{ status: string }>("sample", { session, who });

/** The webhooks of a session; the server waits a moment when there are no more than `after`. */
export async function eventsOf(session: string, after: number, signal: AbortSignal): Promise<Arrived[]> {
  const path = `/demo/api/events/${encodeURIComponent(session)}?after=${after}`;
  return (await answer<{ events: Arrived[] }>(fetch(path, { signal }))).events;
}

function post<Answer>(path: string, body?: object): Promise<Answer> {
  const sent = body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {};
  return answer<Answer>(fetch(`/demo/api/${path}`, { method: "POST", ...sent }));
}

async function answer<Answer>(request: Promise<Response>): Promise<Answer> {
  const response = await request;
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as Answer;
  const { detail } = (body ?? {}) as { detail?: unknown };
  throw new Refused(typeof detail === "string" ? detail : `The server answered ${response.status}.`);
}
