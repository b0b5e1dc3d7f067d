/** What the shop's server received: the verdict, the webhook behind it, and the call that began it. */
import { useEffect, useRef } from "preact/hooks";

import { verdictOf, type Action } from "./visit";

const MARKS: Record<string, string> = { Approved: "✓", Declined: "✕" };

export function Verdict({ action }: { action: Action | null }) {
  const event = action ? verdictOf(action.events) : undefined;
  const panel = useRef<HTMLElement>(null);
  const decided = event !== undefined;
  useEffect(() => {
    // On a phone the verdict is below what was pressed.
    const { current } = panel;
    if (decided && current && current.getBoundingClientRect().top > innerHeight / 2) current.scrollIntoView();
  }, [decided]);
  return (
    <section class="panel received" aria-labelledby="received" ref={panel}>
      <h2 id="received">What the shop’s server received</h2>
      <div role="status" class="summary">
        {event ? (
          <>
            <p class={`verdict ${event.status.toLowerCase().replace(" ", "-")}`} data-verdict={event.status}>
              <span aria-hidden="true">{MARKS[event.status] ?? "…"}</span> {event.status}
            </p>
            {action?.milliseconds != null && (
              <p class="time">
                <strong>{Math.round(action.milliseconds)} ms</strong> from the picture sent to the webhook
                {action.actor === "me" ? " seen on this page" : " received"}
              </p>
            )}
          </>
        ) : (
          <p class="soft">{waiting(action)}</p>
        )}
      </div>
      {event && (
        <>
          <ul class="proofs" aria-label="Signatures">
            <Proof holds={event.raw}>X-Signature: the raw bytes</Proof>
            <Proof holds={event.canonical}>X-Signature-V2: the canonical JSON</Proof>
          </ul>
          {event.claims && (
            <>
              <h3>The signed verdict, redeemed for this transfer</h3>
              <Code label="Claims of the verdict" text={JSON.stringify(event.claims, null, 2)} />
              <p class="soft small">
                <code>act</code> is the hash of the amount and payee that were shown. It works once, for these only.
              </p>
            </>
          )}
          <h3>Webhook</h3>
          <Code label="Headers of the webhook" text={headersOf(event.headers)} />
          <Code label="Body of the webhook" text={pretty(event.body)} tall />
        </>
      )}
      {action?.opened && (
        <>
          <h3>The call that began it</h3>
          <Code label="The call as curl" text={action.opened.curl} />
          <p class="soft small">
            In your own application: its key in <code>IPSE_KEY</code>, and a workflow of yours as <code>workflow_id</code>.
          </p>
        </>
      )}
    </section>
  );
}

function Proof({ holds, children }: { holds: boolean; children: string }) {
  return (
    <li class={holds ? "holds" : "fails"}>
      <span aria-hidden="true">{holds ? "✓" : "✕"}</span> {children} {holds ? "verified" : "not verified"}
    </li>
  );
}

/** A scrolling box takes the focus, so that a keyboard can scroll it. */
function Code({ label, text, tall = false }: { label: string; text: string; tall?: boolean }) {
  return (
    <pre class={tall ? "tall" : ""} tabIndex={0} role="region" aria-label={label}>
      <code>{text}</code>
    </pre>
  );
}

function waiting(action: Action | null): string {
  switch (action?.phase) {
    case "opening":
    case "showing":
      return "A session is open. Nothing is decided yet.";
    case "deciding":
      return action.actor === "me" ? "The picture is being judged …" : "The sample face goes through the session …";
    case "left":
      return "The session was left without a result.";
    case "failed":
      return "Nothing arrived.";
    default:
      return "Nothing yet. The verdict appears here as the signed webhook that your server would get.";
  }
}

function headersOf(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, text]) => `${name}: ${text}`)
    .join("\n");
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
