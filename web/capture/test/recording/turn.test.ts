import { describe, expect, test } from "vitest";

import { blindTurnMs, medianPose, STAY_MS, TurnWatch } from "../../src/recording/turn";
import type { Turn } from "../../src/recording/types";

const HOLD = { yaw: 5, pitch: -8, roll: 0 };
const prompt = (direction: Turn["direction"]): Turn => ({ kind: "turn", direction, min_ms: 700, max_ms: 6_000 });
const pose = (yaw: number, pitch: number) => ({ yaw, pitch, roll: 0 });

describe("a turn", () => {
  test("ends when the head stayed there for a moment", () => {
    const watch = new TurnWatch(prompt("left"), HOLD);
    expect(watch.next(pose(21, -8), 1_000)).toBe(false);
    expect(watch.next(pose(22, -8), 1_000 + STAY_MS - 1)).toBe(false);
    expect(watch.next(pose(22, -8), 1_000 + STAY_MS)).toBe(true);
  });

  test("starts again when the head came back", () => {
    const watch = new TurnWatch(prompt("left"), HOLD);
    watch.next(pose(21, -8), 0);
    watch.next(pose(10, -8), 100);
    expect(watch.next(pose(21, -8), 300)).toBe(false);
    expect(watch.next(pose(21, -8), 300 + STAY_MS)).toBe(true);
  });

  test("goes on when the face is lost for a look", () => {
    const watch = new TurnWatch(prompt("left"), HOLD);
    watch.next(pose(21, -8), 0);
    expect(watch.next(null, 100)).toBe(false);
    expect(watch.next(pose(21, -8), STAY_MS)).toBe(true);
  });

  test.each([
    ["left", pose(21, -8)],
    ["right", pose(-11, -8)],
    ["up", pose(5, 2)],
    ["down", pose(5, -18)],
  ] as const)("to the %s counts from the pose of the hold phase, and only that way", (direction, there) => {
    for (const other of ["left", "right", "up", "down"] as const) {
      const watch = new TurnWatch(prompt(other), HOLD);
      watch.next(there, 0);
      expect(watch.next(there, STAY_MS)).toBe(other === direction);
    }
  });
});

test("a turn that nobody watches keeps within its own limits", () => {
  expect(blindTurnMs({ ...prompt("left") })).toBe(2_500);
  expect(blindTurnMs({ ...prompt("left"), max_ms: 2_000 })).toBe(2_000);
  expect(blindTurnMs({ ...prompt("left"), min_ms: 3_000 })).toBe(3_000);
});

test("one bad look does not move the pose of the hold phase", () => {
  expect(medianPose([pose(1, 1), pose(40, -30), pose(2, 2)])).toMatchObject({ yaw: 2, pitch: 1 });
  expect(medianPose([])).toBeNull();
});
