import { expect, test } from "vitest";

import { callbackUrl, returnsHere } from "../src/callback";
import { decided, handoff } from "./states";

test("the session's id and status are added, and the callback's own query stays letter for letter", () => {
  expect(callbackUrl("https://shop.example/done", "6f1c", "Approved")).toBe(
    "https://shop.example/done?verificationSessionId=6f1c&status=Approved",
  );
  expect(callbackUrl("https://shop.example/done?sig=a%2Fb+c&x#top", "6f1c", "In Review")).toBe(
    "https://shop.example/done?sig=a%2Fb+c&x&verificationSessionId=6f1c&status=In%20Review#top",
  );
  expect(callbackUrl("https://shop.example/?", "6f1c", "Declined")).toBe(
    "https://shop.example/?verificationSessionId=6f1c&status=Declined",
  );
});

test("an app's own scheme works", () => {
  expect(callbackUrl("myapp://callback", "6f1c", "Approved")).toBe(
    "myapp://callback?verificationSessionId=6f1c&status=Approved",
  );
});

test.each(["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x"])("%s is never opened", (callback) => {
  expect(callbackUrl(callback, "6f1c", "Approved")).toBeNull();
});

const view = (method: "initiator" | "completer" | "both", device: "first" | "second", over: "active" | "ended") =>
  returnsHere(decided({ callback: "https://a.example", callback_method: method, handoff: handoff({ device, state: over }) }));

test("without a hand-off the only device returns, whatever the method, and without a callback none does", () => {
  for (const callback_method of ["initiator", "completer", "both"] as const) {
    expect(returnsHere(decided({ callback: "https://a.example", callback_method }))).toBe(true);
  }
  expect(returnsHere(decided())).toBe(false);
});

test("after a hand-off the initiator, the completer or both return", () => {
  expect([view("initiator", "first", "active"), view("initiator", "second", "active")]).toEqual([true, false]);
  expect([view("completer", "first", "active"), view("completer", "second", "active")]).toEqual([false, true]);
  expect([view("completer", "first", "ended"), view("completer", "second", "ended")]).toEqual([true, false]);
  expect([view("both", "first", "active"), view("both", "second", "active")]).toEqual([true, true]);
});
