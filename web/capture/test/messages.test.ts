import { beforeEach, expect, test, vi } from "vitest";

import { Messages, surroundingsOf, type Surroundings } from "../src/messages";
import { INITIAL, reduce, type Happening } from "../src/model";
import { narrate } from "../src/narration";
import { decided, RECORDING, state, step } from "./states";

let heard: { type: string; data: Record<string, unknown> }[];
let messages: Messages;

beforeEach(() => {
  heard = [];
  messages = new Messages({ parent: { postMessage: (message) => heard.push(message as never) }, native: null });
});

function live(...happenings: Happening[]): void {
  let model = INITIAL;
  for (const event of happenings) {
    const next = reduce(model, event);
    narrate(messages, model, next, event);
    model = next;
  }
}

const types = () => heard.map(({ type }) => type);

test("completed is sent exactly once, with the session's id, whatever else arrives later", () => {
  live(
    { type: "state", capture: state() },
    { type: "go", screen: "framing" },
    { type: "recorded", recording: RECORDING },
    { type: "sent", share: 1 },
    { type: "answered", capture: decided() },
    { type: "polled", capture: decided() },
    { type: "online", online: true },
    { type: "left", reason: "cancelled", capture: null },
  );
  expect(heard.filter(({ type }) => type === "didit:completed")).toEqual([
    { type: "didit:completed", data: { sessionId: "6f1c", status: "Approved" }, timestamp: expect.any(Number) },
  ]);
  expect(types()).not.toContain("didit:cancelled");
});

test("a session is told from ready to completed in the order of the contract", () => {
  live(
    { type: "state", capture: state() },
    { type: "go", screen: "ready" },
    { type: "go", screen: "framing" },
    { type: "recorded", recording: RECORDING },
    { type: "sent", share: 0.5 },
    { type: "sent", share: 1 },
    { type: "answered", capture: decided() },
  );
  expect(types()).toEqual([
    "didit:ready",
    "didit:step_started",
    "didit:media_started",
    "didit:media_captured",
    "didit:verification_submitted",
    "didit:status_updated",
    "didit:step_completed",
    "didit:completed",
  ]);
});

test("the next step is announced with the one before it", () => {
  const next = state({ outcome: "accepted", step: step({ node_id: "n2", feature: "AGE_ESTIMATION" }) });
  live({ type: "state", capture: state() }, { type: "answered", capture: next });
  expect(heard.at(-2)).toMatchObject({ type: "didit:step_completed", data: { step: "liveness", nextStep: "age_estimation" } });
  expect(heard.at(-1)).toMatchObject({ type: "didit:step_changed", data: { step: "age_estimation", previousStep: "liveness" } });
});

test.each([
  ["Approved", "Approved"],
  ["Declined", "Declined"],
  ["In Review", "Pending"],
  ["Kyc Expired", "Pending"],
] as const)("status %s is public as %s", (status, told) => {
  live({ type: "state", capture: decided({ status }) });
  expect(heard.at(-1)).toMatchObject({ type: "didit:completed", data: { status: told } });
});

test("a failed try does not complete anything", () => {
  live({ type: "state", capture: state() }, { type: "answered", capture: state({ outcome: "retry", hints: ["too_dark"] }) });
  expect(types()).toEqual(["didit:ready"]);
});

test("leaving cancels once, and starting again may end once more", () => {
  live({ type: "state", capture: state() }, { type: "left", reason: "cancelled", capture: null });
  messages.completed("6f1c", "Approved");
  expect(types()).toEqual(["didit:ready", "didit:cancelled"]);
  messages.again();
  messages.completed("6f1c", "Approved");
  expect(types().at(-1)).toBe("didit:completed");
});

test("a reported request is cancelled with its status, and the alternative ends nothing: it goes on in the same frame", () => {
  live({ type: "state", capture: state() }, { type: "left", reason: "not_me", capture: decided({ status: "Declined" }) });
  expect(heard.at(-1)).toMatchObject({ type: "didit:cancelled", data: { sessionId: "6f1c", status: "Declined" } });
  messages = new Messages({ parent: { postMessage: (message) => heard.push(message as never) }, native: null });
  heard = [];
  live({ type: "state", capture: state() }, { type: "left", reason: "alternative", capture: null });
  expect(types()).toEqual(["didit:ready"]);
});

test("an unusable link and a camera that fails are errors, not results", () => {
  live({ type: "failed", failure: { kind: "expired" } });
  expect(heard).toMatchObject([{ type: "didit:error", data: { error: "expired" } }]);
  heard = [];
  live({ type: "state", capture: state() }, { type: "camera-failed", problem: "denied" });
  expect(heard.at(-1)).toMatchObject({ type: "didit:error", data: { error: "camera_denied" } });
});

test("a page that stands alone sends nothing, and a React Native web view gets JSON", () => {
  expect(surroundingsOf(window)).toEqual({ parent: null, native: null });
  const native: Surroundings["native"] = { postMessage: vi.fn() };
  new Messages({ parent: null, native }).completed("6f1c", "Approved");
  expect(JSON.parse(vi.mocked(native!.postMessage).mock.calls[0]![0])).toMatchObject({ type: "didit:completed" });
});
