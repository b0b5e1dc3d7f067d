import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { DiditSdk, IpseSdk, type Configuration, type Result, type VerificationEvent } from "../src/ipse";

const URL_OF_SESSION = "https://id.example/en/session/tok1";
const ORIGIN = "https://id.example";

let sdk: IpseSdk;
let results: Result[];
let events: VerificationEvent[];

beforeEach(() => {
  // Nothing is loaded here: frames keep their address to themselves.
  vi.spyOn(HTMLIFrameElement.prototype, "src", "set").mockImplementation(() => undefined);
  document.body.innerHTML = '<button id="pay">Pay</button><div id="here"></div>';
  results = [];
  events = [];
  sdk = new IpseSdk();
  sdk.onComplete = (result) => results.push(result);
  sdk.onEvent = (event) => events.push(event);
});

afterEach(() => sdk.destroy());

/** Open a session; the frame gets a window of its own, since nothing is loaded here. */
function opened(configuration: Configuration = {}): { frame: HTMLIFrameElement; ended: Promise<Result>; page: object } {
  const ended = sdk.startVerification({ url: URL_OF_SESSION, configuration });
  const frame = [...document.querySelectorAll("div")].map((one) => one.shadowRoot?.querySelector("iframe")).find(Boolean) ??
    document.querySelector("iframe")!;
  const page = {};
  Object.defineProperty(frame, "contentWindow", { value: page });
  return { frame, ended, page };
}

function says(page: object, type: string, data: object = {}, origin = ORIGIN): void {
  const message = new MessageEvent("message", { data: { type, data }, origin });
  Object.defineProperty(message, "source", { value: page });
  window.dispatchEvent(message);
}

function inShadow<Found extends Element>(selector: string): Found | null {
  for (const host of document.querySelectorAll("*")) {
    for (const root of [host.shadowRoot, ...[...(host.shadowRoot?.querySelectorAll("*") ?? [])].map((e) => e.shadowRoot)]) {
      const found = root?.querySelector<Found>(selector);
      if (found) return found;
    }
  }
  return null;
}

test("completed is delivered exactly once, to onComplete and to the promise", async () => {
  const { ended, page } = opened();
  says(page, "didit:ready", { sessionId: "s1" });
  says(page, "didit:completed", { sessionId: "s1", status: "Approved" });
  says(page, "didit:completed", { sessionId: "s1", status: "Declined" });
  says(page, "didit:cancelled", { sessionId: "s1" });
  sdk.close();
  const result = { type: "completed", session: { sessionId: "s1", status: "Approved" } };
  expect(results).toEqual([result]);
  expect(await ended).toEqual(result);
});

test("a status that is missing or unknown is pending", () => {
  const { page } = opened();
  says(page, "didit:completed", { sessionId: "s1", status: "In Review" });
  expect(results).toEqual([{ type: "completed", session: { sessionId: "s1", status: "Pending" } }]);
});

test("messages of another window, another port or another host are not heard", () => {
  const { page } = opened();
  says({}, "didit:completed", { sessionId: "s1" });
  says(page, "didit:completed", { sessionId: "s1" }, "https://id.example:8443");
  says(page, "didit:completed", { sessionId: "s1" }, "http://id.example");
  says(page, "didit:completed", { sessionId: "s1" }, "https://evil.example");
  says(page, "other:completed", { sessionId: "s1" });
  expect([results, events]).toEqual([[], []]);
});

test("messages may be JSON text, and text that is not JSON is ignored", () => {
  const { page } = opened();
  for (const data of ["{", '"didit:ready"', JSON.stringify({ type: "didit:ready", data: { sessionId: "s1" }, timestamp: 7 })]) {
    const message = new MessageEvent("message", { data, origin: ORIGIN });
    Object.defineProperty(message, "source", { value: page });
    window.dispatchEvent(message);
  }
  expect(events).toEqual([{ type: "didit:ready", data: { sessionId: "s1" }, timestamp: 7 }]);
});

test("the window stays open with the result unless it is asked to close", () => {
  const first = opened();
  says(first.page, "didit:completed", { sessionId: "s1", status: "Approved" });
  expect(first.frame.isConnected).toBe(true);
  sdk.close();
  const second = opened({ closeModalOnComplete: true });
  says(second.page, "didit:completed", { sessionId: "s2", status: "Approved" });
  expect(second.frame.isConnected).toBe(false);
  expect(results.map(({ type }) => type)).toEqual(["completed", "completed"]);
});

test("leaving an unfinished check is asked about: going on changes nothing, leaving is cancelled", async () => {
  const { frame, page } = opened();
  says(page, "didit:ready", { sessionId: "s1" });
  says(page, "didit:close_request");
  says(page, "didit:close_request");
  inShadow<HTMLButtonElement>(".stay")!.click();
  await Promise.resolve();
  expect([frame.isConnected, results, inShadow(".question")]).toEqual([true, [], null]);
  inShadow<HTMLButtonElement>(".close")!.click();
  inShadow<HTMLButtonElement>(".leave")!.click();
  await vi.waitFor(() => expect(frame.isConnected).toBe(false));
  expect(results).toEqual([{ type: "cancelled", session: { sessionId: "s1", status: "Pending" } }]);
});

test("Escape asks too, and Escape again goes on", async () => {
  const { frame } = opened();
  const escape = () => new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
  const pressed = escape();
  inShadow(".window")!.dispatchEvent(pressed);
  expect([pressed.defaultPrevented, inShadow(".question") !== null]).toEqual([true, true]);
  inShadow(".question")!.dispatchEvent(escape());
  await Promise.resolve();
  expect([inShadow(".question"), frame.isConnected, results]).toEqual([null, true, []]);
});

test("after the result, or without confirmation, the window closes at once", async () => {
  const first = opened();
  says(first.page, "didit:completed", { sessionId: "s1", status: "Declined" });
  says(first.page, "didit:close_request");
  expect(first.frame.isConnected).toBe(false);
  const second = opened({ showExitConfirmation: false });
  says(second.page, "didit:close_request");
  expect(second.frame.isConnected).toBe(false);
  expect(results.map(({ type }) => type)).toEqual(["completed", "cancelled"]);
});

test("the page's own cancelled closes the window", () => {
  const { frame, page } = opened();
  says(page, "didit:cancelled", { sessionId: "s1", status: "Declined" });
  expect(frame.isConnected).toBe(false);
  expect(results).toEqual([{ type: "cancelled", session: { sessionId: "s1", status: "Declined" } }]);
});

test("didit:error is an event and never a result", () => {
  const { page } = opened();
  says(page, "didit:error", { error: "expired" });
  expect([events.length, results]).toEqual([1, []]);
});

test("the window holds scrolling and gives scrolling and focus back", () => {
  document.getElementById("pay")!.focus();
  document.documentElement.style.overflow = "scroll";
  opened();
  expect(document.documentElement.style.overflow).toBe("hidden");
  sdk.close();
  expect([document.documentElement.style.overflow, document.activeElement?.id]).toEqual(["scroll", "pay"]);
  document.documentElement.style.overflow = "";
});

test("the frame may use the camera, has a name, and is not sandboxed", () => {
  const { frame } = opened();
  expect(frame.allow).toBe("camera; microphone; fullscreen; autoplay; encrypted-media; geolocation");
  expect(frame.title).toBe("Identity check");
  expect(frame.hasAttribute("sandbox")).toBe(false);
});

test.each<Configuration>([{ mode: "inline" }, { embedded: true }])("inline, %o, the frame fills the named element", (how) => {
  const { frame, page } = opened({ ...how, embeddedContainerId: "here" });
  expect(frame.parentElement?.id).toBe("here");
  says(page, "didit:close_request");
  expect(inShadow(".question")).not.toBeNull();
  sdk.close();
  expect([frame.isConnected, inShadow(".question")]).toEqual([false, null]);
});

test("an inline verification without its element fails and says so", async () => {
  const ended = await sdk.startVerification({ url: URL_OF_SESSION, configuration: { embedded: true } });
  expect(ended).toMatchObject({ type: "failed", error: { type: "no_container" } });
  expect([sdk.state, results]).toEqual(["error", [ended]]);
});

test("a redirect leaves with the address as it is", () => {
  const leave = vi.spyOn(window.location, "assign").mockImplementation(() => undefined);
  void sdk.startVerification({ url: URL_OF_SESSION, configuration: { mode: "redirect" } });
  expect(leave).toHaveBeenCalledWith(URL_OF_SESSION);
  expect(document.querySelector("iframe")).toBeNull();
});

test.each(["", "javascript:alert(1)", "data:text/html,x", "http://["])("%j is refused as a failed result", async (url) => {
  expect(await sdk.startVerification({ url })).toMatchObject({ type: "failed", error: { type: "invalid_url" } });
});

test("a second start cancels the first", () => {
  const first = opened();
  const second = opened();
  says(first.page, "didit:completed", { sessionId: "s1" });
  says(second.page, "didit:completed", { sessionId: "s2", status: "Approved" });
  expect(results.map((result) => [result.type, "session" in result && result.session?.sessionId])).toEqual([
    ["cancelled", false],
    ["completed", "s2"],
  ]);
});

test("states go from loading over ready to idle", () => {
  const states: string[] = [];
  sdk.onStateChange = (state) => states.push(state);
  const { page } = opened();
  says(page, "didit:ready", { sessionId: "s1" });
  sdk.close();
  expect(states).toEqual(["loading", "ready", "idle"]);
});

test("destroy lets go of everything", () => {
  const { frame, page } = opened();
  sdk.destroy();
  says(page, "didit:completed", { sessionId: "s1" });
  expect([frame.isConnected, results.length, sdk.onComplete]).toEqual([false, 1, undefined]);
  expect(IpseSdk.shared).not.toBe(sdk);
});

test("the class is exported under the name of the contract's SDK", () => {
  expect(DiditSdk).toBe(IpseSdk);
});
