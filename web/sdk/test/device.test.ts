import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { loadCollector, OneAtATime, PATIENCE_MS, type Collector } from "../src/collecting";
import { device } from "../src/device";
import { IpseSdk, type Device } from "../src/ipse";

const collectReport = vi.hoisted(() => vi.fn());
vi.mock("../../capture/src/device/collect", () => ({ collectReport }));

const DEVICE: Device = { persistent_id: "AAAAAAAAAAAAAAAAAAAAAA", report: { source: "page", cores: 8 } };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A collector whose collections end when they are told to. */
function slow(): { collector: Collector; finish: ((device: Device) => void)[] } {
  const finish: ((device: Device) => void)[] = [];
  return { collector: { device: () => new Promise((resolve) => finish.push(resolve)) }, finish };
}

test("a device has the shape that evaluate takes: the id it keeps, and the hosted page's report", async () => {
  collectReport.mockResolvedValueOnce({ source: "page", persistent_id: "AAAAAAAAAAAAAAAAAAAAAA", cores: 8 });
  expect(await device()).toEqual({
    persistent_id: "AAAAAAAAAAAAAAAAAAAAAA",
    report: { source: "page", persistent_id: "AAAAAAAAAAAAAAAAAAAAAA", cores: 8 },
  });
});

test("a browser that keeps nothing has no id, and a report all the same", async () => {
  collectReport.mockResolvedValueOnce({ source: "page" });
  expect(await device()).toEqual({ persistent_id: null, report: { source: "page" } });
});

test("what is collected is what is answered, and nothing goes on waiting", async () => {
  const devices = new OneAtATime(async () => ({ device: async () => DEVICE }));
  expect(await devices.collected()).toEqual(DEVICE);
  expect(vi.getTimerCount()).toBe(0);
});

test.each<[string, () => Promise<Collector>]>([
  ["the part cannot be loaded", () => Promise.reject(new TypeError("404"))],
  ["the part is another file", async () => ({}) as Collector],
  ["the collector fails", async () => ({ device: () => Promise.reject(new Error("no canvas")) })],
])("%s: no device, no exception, and the next call tries again", async (_, load) => {
  const tried = vi.fn(load);
  const devices = new OneAtATime(tried);
  expect([await devices.collected(), await devices.collected()]).toEqual([null, null]);
  expect(tried).toHaveBeenCalledTimes(2);
});

test("after 3 s there is no device; the one that came late is what the next call gets", async () => {
  const { collector, finish } = slow();
  const devices = new OneAtATime(async () => collector);
  const first = devices.collected();
  await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
  expect(vi.getTimerCount()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect([await first, PATIENCE_MS]).toEqual([null, 3000]);
  const second = devices.collected();
  finish[0]!(DEVICE);
  expect([await second, finish.length]).toEqual([DEVICE, 1]);
});

test("calls side by side share one collection, so that they tell one id", async () => {
  const { collector, finish } = slow();
  const devices = new OneAtATime(async () => collector);
  const both = Promise.all([devices.collected(), devices.collected()]);
  await vi.advanceTimersByTimeAsync(0);
  expect(finish.length).toBe(1);
  finish[0]!(DEVICE);
  expect(await both).toEqual([DEVICE, DEVICE]);
});

test("the part is looked for beside the SDK, whatever is behind its name", async () => {
  const here = import.meta.url;
  const part = await loadCollector(new URL("../src/ipse.js?v=3", here).href);
  expect(part.device).toBe(device);
});

test.each(["blob:null", "https://id.example.invalid/"])("an SDK that was loaded from %j finds none", async (own) => {
  await expect(loadCollector(own)).rejects.toThrow();
});

test("the class and an instance tell the device, and null where the browser cannot be described", async () => {
  vi.useRealTimers();
  collectReport.mockResolvedValueOnce(DEVICE.report).mockResolvedValueOnce(DEVICE.report).mockRejectedValueOnce(new Error());
  const told = { persistent_id: null, report: DEVICE.report };
  expect(await IpseSdk.device()).toEqual(told);
  expect(await IpseSdk.shared.device()).toEqual(told);
  expect(await IpseSdk.device()).toBeNull();
});
