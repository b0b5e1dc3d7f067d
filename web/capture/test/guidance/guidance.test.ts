import { expect, test, vi } from "vitest";

import { oneAtATime } from "../../src/guidance/guidance";
import type { Sighting } from "../../src/recording/types";
import { SIGHTING } from "./faces";

const PICTURE = { data: new Uint8ClampedArray(4), width: 1, height: 1 };

test("frames that come during a look are skipped and get the same answer", async () => {
  let answer: (sighting: Sighting | null) => void = () => undefined;
  const look = vi.fn(() => new Promise<Sighting | null>((resolve) => (answer = resolve)));
  const guidance = oneAtATime(look, () => undefined);
  const both = Promise.all([guidance.look(PICTURE), guidance.look(PICTURE)]);
  answer(SIGHTING);
  expect(await both).toEqual([SIGHTING, SIGHTING]);
  expect(look).toHaveBeenCalledTimes(1);
});

test("after a look, also a failed one, the next frame is looked at", async () => {
  const look = vi.fn(async () => SIGHTING);
  look.mockRejectedValueOnce(new Error("lost"));
  const guidance = oneAtATime(look, () => undefined);
  await expect(guidance.look(PICTURE)).rejects.toThrow("lost");
  expect(await guidance.look(PICTURE)).toBe(SIGHTING);
});

test("a closed guidance frees its worker and looks no more", async () => {
  const end = vi.fn();
  const guidance = oneAtATime(async () => SIGHTING, end);
  guidance.close();
  expect(end).toHaveBeenCalledOnce();
  await expect(guidance.look(PICTURE)).rejects.toThrow();
});

test("a model that hangs is given up", async () => {
  vi.useFakeTimers();
  try {
    const guidance = oneAtATime(() => new Promise(() => undefined), () => undefined);
    const given = expect(guidance.look(PICTURE)).rejects.toThrow("No answer");
    await vi.advanceTimersByTimeAsync(10_000);
    await given;
  } finally {
    vi.useRealTimers();
  }
});
