import { expect, test } from "vitest";

import { methodOf, reduce } from "../src/model";
import { interval } from "../src/polling";
import { after, decided, handoff, RECORDING, state, step } from "./states";

const opened = (changes = {}) => after({ type: "state", capture: state(changes) });
const PURPOSE = { code: "transfer", text: null, amount: "5", currency: "EUR", payee: null, account: null };

test("a session opens at its purpose, and a finished one at its result", () => {
  expect(opened().screen).toBe("purpose");
  expect(after({ type: "state", capture: decided() }).screen).toBe("result");
  expect(opened({ status: "In Progress", step: null }).screen).toBe("result");
  expect(after({ type: "state", capture: decided({ status: "Expired" }) })).toMatchObject({
    screen: "error",
    failure: { kind: "expired" },
  });
});

test("the welcome may be skipped, but never the action that is authorised", () => {
  const brand = { ...state().brand, skip_welcome_screen: true };
  expect(opened({ brand }).screen).toBe("ready");
  expect(opened({ brand, purpose: PURPOSE }).screen).toBe("purpose");
});

test("a step that needs no face cannot be done here", () => {
  expect(opened({ step: step({ needs: [] }) })).toMatchObject({ screen: "error", failure: { kind: "unsupported" } });
});

test("a session whose first check needs nothing from the person can be started", () => {
  expect(opened({ status: "Not Started", step: step({ needs: [] }) }).screen).toBe("purpose");
});

test("the person's choice of method holds where the step allows it", () => {
  expect(methodOf(step(), "FLASHING")).toBe("FLASHING");
  expect(methodOf(step({ method: "ACTIVE_3D", methods: ["ACTIVE_3D"] }), "PASSIVE")).toBe("ACTIVE_3D");
  expect(methodOf(step({ method: null, methods: [] }), null)).toBe("PASSIVE");
});

test("a challenge is shown phase by phase, and hints belong to the framing before it", () => {
  const framing = after({ type: "state", capture: state() }, { type: "go", screen: "framing" });
  const hinted = reduce(framing, { type: "hint", hint: "too_far" });
  expect(hinted.hint).toBe("too_far");
  const hold = reduce(reduce(hinted, { type: "challenge", phases: 4 }), {
    type: "phase",
    phase: { kind: "hold", min_ms: 300, max_ms: 4000 },
  });
  expect(hold).toMatchObject({ screen: "challenge", part: 1, parts: 4, hint: null });
  const turn = reduce(hold, { type: "phase", phase: { kind: "turn", direction: "left", min_ms: 700, max_ms: 6000 } });
  expect(turn.part).toBe(2);
  const end = reduce(reduce(turn, { type: "colour", colour: [255, 0, 0] }), { type: "phase", phase: null });
  expect(end).toMatchObject({ screen: "challenge", phase: null, colour: null });
});

test("what the recorder says after the person left the camera changes nothing", () => {
  const ready = after({ type: "state", capture: state() }, { type: "go", screen: "ready" });
  expect(reduce(ready, { type: "hint", hint: "too_far" })).toBe(ready);
  expect(reduce(ready, { type: "phase", phase: { kind: "hold", min_ms: 1, max_ms: 2 } })).toBe(ready);
});

const uploading = () =>
  after({ type: "state", capture: state() }, { type: "go", screen: "framing" }, { type: "recorded", recording: RECORDING });

test("the recording stays until the server has answered, however often the line breaks", () => {
  let model = uploading();
  for (const why of ["no-connection", "busy"] as const) {
    model = reduce(reduce(model, { type: "sent", share: 1 }), { type: "upload-waits", why });
    expect(model).toMatchObject({ screen: "uploading", upload: why, recording: RECORDING });
  }
  expect(reduce(model, { type: "answered", capture: decided() })).toMatchObject({ screen: "result", recording: null });
});

test("a failed try shows its picture and its reasons", () => {
  const capture = state({ outcome: "retry", hints: ["too_dark"], step: step({ attempt: 2, attempts_left: 2 }) });
  const model = reduce(uploading(), { type: "answered", capture });
  expect(model).toMatchObject({ screen: "retry", reasons: ["too_dark"], counted: true, recording: RECORDING });
});

test("a challenge that ran out is told as no try lost", () => {
  const model = reduce(uploading(), { type: "not-counted", reason: "took_too_long", capture: state() });
  expect(model).toMatchObject({ screen: "retry", reasons: ["took_too_long"], counted: false });
});

test("after a step that was accepted comes the next, with its own method", () => {
  const chosen = reduce(uploading(), { type: "method", method: "FLASHING" });
  const capture = state({ outcome: "accepted", step: step({ node_id: "two" }) });
  expect(reduce(chosen, { type: "answered", capture })).toMatchObject({ screen: "ready", chosen: null });
});

// --- two devices ----------------------------------------------------------------------------------------------------

const offer = { url: "https://a.example/h/t", number: "42", expires_at: "2026-11-22T00:05:00Z" };
const first = (state_: "offered" | "opened" | "active" | "ended", may_capture: boolean) =>
  state({ handoff: handoff({ state: state_, may_capture }) });

test("the first device follows the hand-off by itself, from code to number to waiting to result", () => {
  let model = after({ type: "state", capture: state() }, { type: "offered", offer });
  expect(model.screen).toBe("handoff");
  model = reduce(model, { type: "polled", capture: first("offered", true) });
  expect(model.screen).toBe("handoff");
  model = reduce(model, { type: "polled", capture: first("opened", true) });
  expect(model.screen).toBe("handoff-waiting");
  model = reduce(model, { type: "polled", capture: first("active", false) });
  expect(model.screen).toBe("continue-elsewhere");
  expect(reduce(model, { type: "polled", capture: decided({ handoff: handoff({ state: "active" }) }) }).screen).toBe("result");
});

test("a refused number, an end, or a second device that fell silent gives the first its turn back", () => {
  const waiting = after({ type: "state", capture: first("opened", true) });
  expect(waiting.screen).toBe("handoff-waiting");
  expect(reduce(waiting, { type: "polled", capture: first("ended", true) }).screen).toBe("ready");
  const elsewhere = after({ type: "state", capture: first("active", false) });
  expect(elsewhere.screen).toBe("continue-elsewhere");
  expect(reduce(elsewhere, { type: "polled", capture: first("active", true) }).screen).toBe("ready");
});

test("the second device confirms the number, captures, and learns when it is no longer its turn", () => {
  const second = (state_: "opened" | "active" | "ended", may_capture: boolean) =>
    state({ handoff: handoff({ device: "second", state: state_, may_capture }) });
  const number = after({ type: "state", capture: second("opened", false) });
  expect(number.screen).toBe("handoff-number");
  const active = reduce(number, { type: "state", capture: second("active", true) });
  expect(active.screen).toBe("purpose");
  const framing = reduce(active, { type: "go", screen: "framing" });
  expect(reduce(framing, { type: "polled", capture: second("active", true) }).screen).toBe("framing");
  expect(reduce(framing, { type: "polled", capture: second("ended", false) }).screen).toBe("continue-elsewhere");
  expect(reduce(number, { type: "polled", capture: second("ended", false) }).screen).toBe("continue-elsewhere");
});

test("the page asks often while it waits for the other device, ever less often when nobody answers, and never when done", () => {
  const waiting = after({ type: "state", capture: first("opened", true) });
  expect(interval(waiting, 0)).toBe(1500);
  expect(interval(waiting, 2)).toBe(6000);
  expect(interval(waiting, 9)).toBe(15_000);
  expect(interval(opened(), 0)).toBeNull();
  expect(interval(after({ type: "state", capture: decided() }), 0)).toBeNull();
});

test("a second device shows that it is alive while it captures", () => {
  const active = state({ handoff: handoff({ device: "second", state: "active", may_capture: true }) });
  const framing = after({ type: "state", capture: active }, { type: "go", screen: "framing" });
  // The server frees the first device after 45 s of silence.
  expect(interval(framing, 0)).toBeLessThan(45_000 / 2);
});

const one = { purpose: PURPOSE, action_hash: "one" };
const other = state({ purpose: { ...PURPOSE, amount: "900" }, action_hash: "other" });

test("what was on the purpose screen is what the person has seen", () => {
  expect(opened(one)).toMatchObject({ screen: "purpose", seen: "one" });
  expect(opened().seen).toBeNull();
});

test("an action that changed when the person agreed is shown before they go on", () => {
  const refreshed = reduce(opened(one), { type: "refreshed", capture: other });
  expect(refreshed.seen).toBe("one");
  const sent = reduce(refreshed, { type: "go", screen: "ready" });
  expect(sent).toMatchObject({ screen: "purpose", seen: "other" });
  expect(reduce(sent, { type: "go", screen: "ready" }).screen).toBe("ready");
});

test("nobody tries again, and no other device takes over, before an action they have not seen", () => {
  const ready = reduce(opened(one), { type: "go", screen: "ready" });
  expect(ready.screen).toBe("ready");
  const retry = reduce(ready, { type: "not-counted", reason: "other", capture: other });
  expect(retry).toMatchObject({ screen: "purpose", seen: "other" });
  expect(reduce(ready, { type: "answered", capture: state({ ...one, outcome: "retry" }) }).screen).toBe("retry");
  expect(reduce(ready, { type: "answered", capture: decided({ action_hash: "other" }) }).screen).toBe("result");
});
