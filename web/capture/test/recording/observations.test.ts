import { expect, test } from "vitest";

import { isPatched, tracesOfAutomation } from "../../src/recording/observations";

test("an ordinary browser has no traces of automation", () => {
  expect(tracesOfAutomation(["alert", "caches", "cookieStore", "documentPictureInPicture"], "Chrome/126")).toEqual([]);
});

test("each tool is named once", () => {
  const globals = ["__playwright__binding__", "__pwInitScripts", "$cdc_asdjflasutopfhvcZLmcfl_", "domAutomation"];
  expect(tracesOfAutomation(globals, "HeadlessChrome/126")).toEqual([
    "playwright",
    "chromedriver",
    "dom_automation",
    "headless",
  ]);
});

test("a function of the browser that a script replaced is noticed", () => {
  expect(isPatched(Array.prototype.map)).toBe(false);
  expect(isPatched(() => null)).toBe(true);
  expect(isPatched(undefined)).toBe(false);
});
