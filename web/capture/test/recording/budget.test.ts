import { describe, expect, test } from "vitest";

import { CHALLENGE_FRAMES, EvenBudget, framesOfPhase } from "../../src/recording/budget";

/** Server: capture/schemas.py, PhaseDone.frames and challenge_frames. */
const SERVER_LIMIT = 64;

describe("frames of a challenge", () => {
  test.each([2, 3, 4, 5, 8])("%i phases together stay within the server's limit", (phases) => {
    const total = Array.from({ length: phases }, (_, i) => framesOfPhase(i, phases)).reduce((a, b) => a + b);
    expect(total).toBeLessThanOrEqual(CHALLENGE_FRAMES);
    expect(CHALLENGE_FRAMES).toBeLessThanOrEqual(SERVER_LIMIT);
  });

  test("a turn keeps at least two seconds of frames at eight a second", () => {
    expect(framesOfPhase(1, 4)).toBeGreaterThanOrEqual(16);
  });
});

describe("an even budget", () => {
  const filled = (limit: number, count: number): readonly number[] => {
    const budget = new EvenBudget<number>(limit);
    for (let i = 0; i < count; i++) {
      if (budget.wants()) budget.add(i);
      else budget.skip();
    }
    return budget.items();
  };

  test("keeps everything while there is room", () => {
    expect(filled(18, 18)).toEqual(Array.from({ length: 18 }, (_, i) => i));
  });

  test.each([
    [18, 19],
    [18, 97],
    [17, 60],
    [54, 400],
    [1, 30],
  ])("%i of %i frames are spread evenly from the first on", (limit, count) => {
    const kept = filled(limit, count);
    expect(kept.length).toBeLessThanOrEqual(limit);
    expect(kept.length).toBeGreaterThanOrEqual(Math.floor(limit / 2));
    expect(kept[0]).toBe(0);
    const gaps = new Set(kept.slice(1).map((value, i) => value - kept[i]!));
    expect(gaps.size).toBeLessThanOrEqual(1);
    const [gap = count] = gaps;
    expect(count - kept.at(-1)!).toBeLessThanOrEqual(limit === 1 ? count : 2 * gap);
  });
});
