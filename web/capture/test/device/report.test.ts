import { expect, test } from "vitest";

import { fitted } from "../../src/device/report";

test("what is unknown, out of range or no number is left out, so that the server never refuses a report", () => {
  expect(
    fitted({
      source: "page",
      cores: Number.NaN,
      memory_gb: Number.POSITIVE_INFINITY,
      screen_width: -3,
      screen_height: 1080.4,
      pixel_ratio: 1.3333333,
      utc_offset_minutes: 9000,
      vendor: "",
      locale: null,
      touch_points: undefined,
      colour_depth: 10_000_000,
      webdriver: false,
    }),
  ).toEqual({ source: "page", screen_height: 1080, pixel_ratio: 1.333, webdriver: false });
});

test("texts are cut to the bounds of the server", () => {
  const report = fitted({
    source: "page",
    user_agent: "u".repeat(5000),
    webgl_renderer: "r".repeat(500),
    time_zone: "z".repeat(100),
    languages: Array.from({ length: 30 }, () => "l".repeat(60)),
    permissions: { camera: "p".repeat(100), empty: "" },
  });
  expect(report.user_agent).toHaveLength(1024);
  expect(report.webgl_renderer).toHaveLength(256);
  expect(report.time_zone).toHaveLength(64);
  expect([report.languages?.length, report.languages?.[0]?.length]).toEqual([16, 35]);
  expect(report.permissions).toEqual({ camera: "p".repeat(64) });
});

test("an offset west of Greenwich stays negative", () => {
  expect(fitted({ source: "page", utc_offset_minutes: -480 }).utc_offset_minutes).toBe(-480);
});
