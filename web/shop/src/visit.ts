/** What happens in the shop: one action at a time, from the button to the webhook. */
import { IpseSdk } from "../../sdk/src/ipse";
import { enrol, eventsOf, playSample, transfer, type Arrived, type Method, type Opened, type Who } from "./api";

/** Who stands before the camera: the visitor, or a sample face that the server plays. */
export type Actor = "me" | Who;

export interface Customer {
  id: string;
  face: "mine" | "sample";
}

export interface Action {
  kind: "enrolment" | "transfer";
  actor: Actor;
  phase: "opening" | "showing" | "deciding" | "decided" | "left" | "failed";
  opened: Opened | null;
  events: Arrived[];
  /** From the picture sent to the webhook: measured by the server for a sample, on this page for a camera. */
  milliseconds: number | null;
  problem: string | null;
}

type Update = (change: Partial<Action>) => void;

const FINAL = ["Approved", "Declined", "In Review", "Abandoned", "Expired"];
const KEPT = "ipse-demo-customer";
/** A webhook that failed once comes again after 5 s; beyond this something is wrong with the address. */
const PATIENCE_MS = 20_000;
/** Time to read the result before the shop shows what arrived; the close button is there for who is quicker. */
const READING_MS = 3_000;

let closing: ReturnType<typeof setTimeout> | undefined;

/** The event that decides, if it has arrived. */
export function verdictOf(events: readonly Arrived[]): Arrived | undefined {
  return events.filter(({ status, webhook_type }) => webhook_type === "status.updated" && FINAL.includes(status)).at(-1);
}

/** The customer of this tab; a reload keeps them. */
export function knownCustomer(): Customer | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Customer | null;
  } catch {
    return null;
  }
}

export function keepCustomer(customer: Customer | null): void {
  try {
    if (customer) sessionStorage.setItem(KEPT, JSON.stringify(customer));
    else sessionStorage.removeItem(KEPT);
  } catch {
    // Storage is switched off: the shop then forgets on reload.
  }
}

/** Enrol, or confirm the transfer of `customer`; `update` hears of every step. Resolves with the customer when approved. */
export async function act(
  actor: Actor,
  customer: Customer | null,
  method: Method,
  update: Update,
): Promise<Customer | null> {
  const enrols = customer === null;
  try {
    const opened = enrols ? await enrol() : await transfer(customer.id, method);
    update({ opened, phase: actor === "me" ? "showing" : "deciding" });
    const arrived = await (actor === "me" ? withCamera(opened, update) : withSample(opened, actor, update));
    if (!arrived) return null;
    update({ phase: "decided" });
    if (!enrols || arrived.status !== "Approved") return null;
    return { id: opened.customer, face: actor === "me" ? "mine" : "sample" };
  } catch (reason) {
    update({ phase: "failed", problem: reason instanceof Error ? reason.message : String(reason) });
    return null;
  }
}

async function withSample(opened: Opened, who: Who, update: Update): Promise<Arrived> {
  await playSample(opened.session, who);
  const arrived = await decided(opened.session, update, AbortSignal.timeout(PATIENCE_MS));
  update({ milliseconds: arrived.after_ms });
  return arrived;
}

async function withCamera(opened: Opened, update: Update): Promise<Arrived | null> {
  const sdk = IpseSdk.shared;
  clearTimeout(closing);
  const watching = new AbortController();
  let sentAt = 0;
  sdk.onEvent = (event) => {
    if (event.type !== "didit:verification_submitted") return;
    sentAt = performance.now();
    update({ phase: "deciding" });
  };
  const verdict = decided(opened.session, update, watching.signal).then((arrived) => {
    if (sentAt) update({ milliseconds: performance.now() - sentAt });
    return arrived;
  });
  verdict.catch(() => undefined); // awaited below, unless the person leaves
  const result = await sdk.startVerification({ url: opened.url });
  if (result.type === "completed") {
    closing = setTimeout(() => sdk.close(), READING_MS);
    setTimeout(() => watching.abort(), PATIENCE_MS);
    return verdict;
  }
  watching.abort();
  if (result.type === "failed") throw new Error(result.error.message);
  update({ phase: "left" });
  return null;
}

/** Wait for the webhook that decides, showing every one that comes before it. */
async function decided(session: string, update: Update, until: AbortSignal): Promise<Arrived> {
  let events: Arrived[] = [];
  for (;;) {
    try {
      events = await eventsOf(session, events.length, until);
    } catch (reason) {
      if (!until.aborted) throw reason;
      throw new Error("The webhook has not arrived. Is the address of the server (IPSE_PUBLIC_URL) the one it listens on?");
    }
    update({ events });
    const verdict = verdictOf(events);
    if (verdict) return verdict;
  }
}
