import { expect, test } from "vitest";

import { browserOf } from "../src/browsers";
import { ENGLISH } from "../src/i18n";
import { reasonCode } from "../src/reasons";

test.each([
  ["Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36", 5, "chrome"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/130.0 Safari/604.1", 5, "ios"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", 5, "ios"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", 0, "safari"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", 0, "firefox"],
  ["something else", 0, "other"],
] as const)("%s with %d touch points is told how to allow the camera in its own words", (agent, touch, browser) => {
  expect(browserOf(agent, touch)).toBe(browser);
});

test("every reason of the server has a sentence and a fix", () => {
  const codes = ["no_face", "several_faces", "too_dark", "too_bright", "blurry", "face_too_small", "face_too_close"];
  for (const code of [...codes, "turn_to_camera", "face_covered", "use_live_camera", "follow_the_prompts", "less_light"]) {
    expect(reasonCode([code], ENGLISH)).not.toBe("other");
  }
});

test("the most helpful reason that this page knows is shown, and without one a plain sentence", () => {
  expect(reasonCode(["new_code", "blurry", "too_dark"], ENGLISH)).toBe("hold_still");
  expect(reasonCode([], ENGLISH)).toBe("other");
});
