/** The shop: enrol, confirm a transfer, see what arrived. */
import { useState } from "preact/hooks";

import { forget, type Method } from "./api";
import { Verdict } from "./verdict";
import { act, keepCustomer, knownCustomer, type Action, type Actor, type Customer } from "./visit";

const METHODS: [Method, string, string][] = [
  ["PASSIVE", "Passive", "One look into the camera"],
  ["ACTIVE_3D", "Active 3D", "Three small turns of the head"],
  ["FLASHING", "Flashing", "The screen shows soft colours"],
];
const BUSY = ["opening", "showing", "deciding"];

export function Shop() {
  const [customer, setCustomer] = useState<Customer | null>(knownCustomer);
  const [method, setMethod] = useState<Method>("PASSIVE");
  const [action, setAction] = useState<Action | null>(null);
  const busy = action !== null && BUSY.includes(action.phase);

  async function begin(actor: Actor) {
    const kind = customer ? "transfer" : "enrolment";
    setAction({ kind, actor, phase: "opening", opened: null, events: [], milliseconds: null, problem: null });
    const update = (change: Partial<Action>) => setAction((now) => now && { ...now, ...change });
    const enrolled = await act(actor, customer, method, update);
    if (enrolled) become(enrolled);
  }

  async function leave(leaving: Customer) {
    setAction(null);
    become(null);
    // A customer whom the server does not know any more is gone already.
    await forget(leaving.id).catch(() => undefined);
  }

  function become(next: Customer | null) {
    keepCustomer(next);
    setCustomer(next);
  }

  return (
    <>
      <header>
        <p class="mark">
          <span aria-hidden="true">◐</span> Corner Bank
        </p>
        <p class="soft">Demo shop of this Ipse server. Everything runs here; no picture goes anywhere else.</p>
      </header>
      <main>
        <div class="steps">
          <h1>Is it really you?</h1>
          {action?.problem && (
            <p role="alert" class="problem">
              {action.problem}
            </p>
          )}
          {customer ? (
            <Enrolled customer={customer} busy={busy} onForget={() => leave(customer)} />
          ) : (
            <section class="panel" aria-labelledby="enrol">
              <h2 id="enrol">
                <Number>1</Number> Enrol
              </h2>
              <p>Open an account. One picture of your face becomes the reference for later.</p>
              <div class="choices">
                <Act label="Use my camera" main busy={busy} onPress={() => begin("me")} />
                <Act label="Use a sample face" busy={busy} onPress={() => begin("same")} />
              </div>
              {busy && <Busy actor={action.actor} />}
            </section>
          )}
          <section class={`panel ${customer ? "" : "later"}`} aria-labelledby="confirm">
            <h2 id="confirm">
              <Number>2</Number> Confirm a transfer
            </h2>
            <div class="transfer">
              <p class="amount">1,250.00 EUR</p>
              <p class="soft">to ACME GmbH · account ending in 3421</p>
            </div>
            {customer ? (
              <>
                <fieldset disabled={busy}>
                  <legend>How the person is checked</legend>
                  {METHODS.map(([value, name, words]) => (
                    <label key={value}>
                      <input type="radio" name="method" checked={method === value} onChange={() => setMethod(value)} />
                      <span>
                        <strong>{name}</strong>
                        <small>{words}</small>
                      </span>
                    </label>
                  ))}
                </fieldset>
                <div class="choices">
                  <Act label="Confirm with my camera" main busy={busy} onPress={() => begin("me")} />
                  {customer.face === "sample" && (
                    <Act label="Sample: the same person" busy={busy} onPress={() => begin("same")} />
                  )}
                  <Act label="Sample: somebody else" busy={busy} onPress={() => begin("other")} />
                </div>
                {busy && <Busy actor={action.actor} />}
              </>
            ) : (
              <p class="soft">Enrol first.</p>
            )}
          </section>
        </div>
        <Verdict action={action} />
      </main>
    </>
  );
}

function Enrolled(props: { customer: Customer; busy: boolean; onForget(): void }) {
  const { customer, busy, onForget } = props;
  return (
    <section class="panel enrolled" aria-labelledby="enrolled">
      <h2 id="enrolled">
        <Number done>1</Number> {customer.face === "mine" ? "Your face is enrolled" : "A sample face is enrolled"}
      </h2>
      <p class="soft">
        Customer <code>{customer.id}</code>
      </p>
      <button type="button" class="link" disabled={busy} onClick={onForget}>
        Delete this customer and begin again
      </button>
    </section>
  );
}

/** Not `disabled` while busy: that would lose the focus, to which the verification gives it back. */
function Act(props: { label: string; main?: boolean; busy: boolean; onPress(): void }) {
  return (
    <button
      type="button"
      class={props.main ? "main" : ""}
      aria-disabled={props.busy}
      onClick={() => props.busy || props.onPress()}
    >
      {props.label}
    </button>
  );
}

function Busy({ actor }: { actor: Actor }) {
  return (
    <p class="busy soft">
      <span class="turning" aria-hidden="true" />
      {actor === "me" ? "Waiting for you" : "The sample face is on its way; a challenge takes about ten seconds"}
    </p>
  );
}

function Number({ done = false, children }: { done?: boolean; children: string }) {
  return (
    <span class={done ? "number done" : "number"} aria-hidden="true">
      {done ? "✓" : children}
    </span>
  );
}
