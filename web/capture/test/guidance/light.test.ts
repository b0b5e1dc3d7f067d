import { describe, expect, test } from "vitest";

import { measureChange, measureLight, measureSharpness } from "../../src/guidance/light";
import type { Pixels } from "../../src/recording/types";

/** A grey picture; `grey` gives the luma of each pixel. */
function picture(width: number, height: number, grey: (x: number, y: number) => number): Pixels {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) data.fill(grey(i % width, Math.floor(i / width)), 4 * i, 4 * i + 3);
  return { data, width, height };
}

const BOX = { x: 0.3, y: 0.2, width: 0.4, height: 0.6 };

describe("light", () => {
  test("even light has a ratio of one", () => {
    const light = measureLight(picture(160, 90, () => 120), BOX);
    expect(light.face).toBeCloseTo(120);
    expect(light.sides).toBeCloseTo(1);
    expect(light.behind).toBeCloseTo(1);
  });

  test("light from one side shows as the ratio of the halves", () => {
    const light = measureLight(picture(160, 90, (x) => (x < 80 ? 60 : 180)), BOX);
    expect(light.sides).toBeCloseTo(3, 1);
  });

  test("light from behind shows as the ratio to the face", () => {
    const light = measureLight(picture(160, 90, (x) => (x > 40 && x < 120 ? 80 : 200)), BOX);
    expect(light.behind).toBeGreaterThan(2);
  });

  test("a black picture has finite ratios", () => {
    const { sides, behind } = measureLight(picture(160, 90, () => 0), BOX);
    expect([sides, behind].every(Number.isFinite)).toBe(true);
  });

  test("a face that fills the picture has nothing behind it", () => {
    expect(measureLight(picture(160, 90, () => 100), { x: 0, y: 0, width: 1, height: 1 }).behind).toBe(1);
  });
});

test("detail is sharper than a soft edge, and a plain wall has none", () => {
  const stripes = measureSharpness(picture(64, 64, (x) => (x % 2 ? 200 : 50)));
  const slope = measureSharpness(picture(64, 64, (x) => 3 * x));
  expect(stripes).toBeGreaterThan(slope);
  expect(measureSharpness(picture(64, 64, () => 90))).toBeCloseTo(0);
});

test("change is the mean difference of luma", () => {
  expect(measureChange(picture(32, 32, () => 100), picture(32, 32, () => 107))).toBeCloseTo(7);
  expect(measureChange(picture(32, 32, () => 100), picture(32, 30, () => 107))).toBeNull();
});
