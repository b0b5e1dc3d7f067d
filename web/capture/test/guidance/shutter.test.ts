import { describe, expect, test } from "vitest";

import { choose, GOOD_IN_A_ROW, GoodFrames, STEADY_MS, SteadyVideo } from "../../src/guidance/shutter";

describe("with guidance", () => {
  test("the picture is taken after four good frames in a row and not before", () => {
    const frames = new GoodFrames();
    expect([true, true, true, true].map((good) => frames.next(good))).toEqual([false, false, false, true]);
  });

  test("one bad frame starts the count again", () => {
    const frames = new GoodFrames();
    const fires = [true, true, true, false, true, true, true, true].map((good) => frames.next(good));
    expect(fires.indexOf(true)).toBe(7);
  });

  test("the share tells how near the picture is", () => {
    const frames = new GoodFrames();
    frames.next(true);
    expect(frames.share).toBe(1 / GOOD_IN_A_ROW);
  });
});

describe("without guidance", () => {
  test("a steady video takes the picture after 2.5 s", () => {
    const video = new SteadyVideo();
    expect(video.next(null, 0)).toBe(false);
    expect(video.next(1, STEADY_MS - 1)).toBe(false);
    expect(video.next(1, STEADY_MS)).toBe(true);
  });

  test("a movement starts the time again", () => {
    const video = new SteadyVideo();
    video.next(null, 0);
    video.next(30, 2_000);
    expect(video.next(1, 2_600)).toBe(false);
    expect(video.next(1, 2_000 + STEADY_MS)).toBe(true);
  });
});

describe("the choice of stills", () => {
  const frame = (at: number, sharpness: number, good = true) => ({ at, sharpness, good });

  test("the sharpest good frame is the first", () => {
    const frames = [frame(0, 5), frame(150, 9), frame(300, 99, false), frame(450, 7)];
    expect(choose(frames, 1, 100)).toEqual([1]);
  });

  test("the others are good, near and far enough apart", () => {
    const frames = [frame(0, 5), frame(60, 5), frame(120, 9), frame(180, 5), frame(240, 5), frame(360, 5, false)];
    const chosen = choose(frames, 4, 100);
    expect(chosen[0]).toBe(2);
    expect([...chosen].sort()).toEqual([0, 2, 4]);
  });

  test("when no frame is good the person's own shot is still taken", () => {
    expect(choose([frame(0, 1, false), frame(200, 3, false)], 3, 100)).toEqual([1, 0]);
  });

  test("there is no still without frames", () => {
    expect(choose([], 4, 100)).toEqual([]);
  });
});
