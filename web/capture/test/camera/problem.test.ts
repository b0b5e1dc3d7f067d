import { describe, expect, test } from "vitest";

import { isWebView, problemBefore, problemOf } from "../../src/camera/problem";

const named = (name: string) => new DOMException("", name);

describe("the problem with the camera", () => {
  test("an insecure address is known before asking", () => {
    expect(problemBefore({ secure: false, canAsk: false, webView: true })).toBe("insecure");
  });

  test("an app's view without cameras is known before asking", () => {
    expect(problemBefore({ secure: true, canAsk: false, webView: true })).toBe("webview");
    expect(problemBefore({ secure: true, canAsk: true, webView: true })).toBeNull();
  });

  test.each([
    ["NotAllowedError", "denied"],
    ["SecurityError", "denied"],
    ["NotFoundError", "none"],
    ["OverconstrainedError", "none"],
    ["NotReadableError", "busy"],
    ["AbortError", "busy"],
    ["SomethingNew", "unknown"],
  ] as const)("%s means %s", (name, problem) => {
    expect(problemOf(named(name), false)).toBe(problem);
  });

  test("a refusal inside an app is the app's", () => {
    expect(problemOf(named("NotAllowedError"), true)).toBe("webview");
    expect(problemOf(named("NotReadableError"), true)).toBe("busy");
  });
});

describe("web views", () => {
  const SAFARI =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 " +
    "Mobile/15E148 Safari/604.1";
  const CHROME =
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";

  test("browsers are not web views", () => {
    expect(isWebView(SAFARI)).toBe(false);
    expect(isWebView(CHROME)).toBe(false);
  });

  test("views inside apps are found", () => {
    expect(isWebView(SAFARI.replace(" Version/17.5", "").replace(" Safari/604.1", ""))).toBe(true);
    expect(isWebView(CHROME.replace("Pixel 8)", "Pixel 8; wv)"))).toBe(true);
    expect(isWebView(`${CHROME} Instagram 334.0.0.42.95 Android`)).toBe(true);
    expect(isWebView(`${SAFARI} [FBAN/FBIOS;FBAV/467.0]`)).toBe(true);
    expect(isWebView(SAFARI, true)).toBe(true);
  });
});
