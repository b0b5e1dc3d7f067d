// happy-dom does not draw, so pictures are stand-ins here; tests/browser records with a real camera.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { recordChallenge } from "../../src/recording/challenge";
import type { Camera, ChallengeView, Guidance, Phase, PhaseDone, RecordRequest } from "../../src/recording/types";
import { Watch } from "../../src/recording/watch";
import { sighting } from "../guidance/faces";

vi.mock("../../src/recording/picture", () => {
  let drawn = 0;
  class Canvas {
    element = { width: 480, height: 270 };
    content = 0;
    draw() {
      this.content = ++drawn;
    }
    free() {}
  }
  const encode = async (canvas: Canvas) => new Blob([`picture ${canvas.content}`]);
  return {
    Canvas,
    SmallPicture: class {
      take = () => ({ data: new Uint8ClampedArray(16 * 9 * 4).fill(130), width: 16, height: 9 });
      free() {}
    },
    FaceMagnifier: class {
      free() {}
    },
    drawStill: (canvas: Canvas) => canvas.draw(),
    encode,
    encodeStill: encode,
    digest: async (picture: Blob) => (await picture.text()).replace(/\D/g, "").padStart(64, "0"),
  };
});

const FRAME_MS = 50;
const HOLD: Phase = { kind: "hold", min_ms: 300, max_ms: 4_000 };
const LEFT: Phase = { kind: "turn", direction: "left", min_ms: 700, max_ms: 6_000 };
const UP: Phase = { kind: "turn", direction: "up", min_ms: 700, max_ms: 6_000 };
const COLOURS: Phase = {
  kind: "colours",
  colours: [
    { rgb: [90, 90, 200], ms: 400 },
    { rgb: [90, 160, 90], ms: 400 },
  ],
};

/** A person whose pose is `pose.now`; the model needs no time. */
function guidanceOf(pose: { now: { yaw: number; pitch: number; roll: number } }): Guidance {
  return { look: async () => sighting({ pose: pose.now }), close: () => undefined };
}

const camera = {
  nextFrame: (signal?: AbortSignal) =>
    new Promise<number>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      setTimeout(() => resolve(performance.now()), FRAME_MS);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
} as Camera;

function challengeOf(phases: Phase[], guidance: Guidance | null = null) {
  const done: PhaseDone[] = [];
  const shown: (Phase | null)[] = [];
  const colours: unknown[] = [];
  const stop = new AbortController();
  const view = (index: number): ChallengeView => ({
    challenge: "nonce",
    method: "ACTIVE_3D",
    phases: phases.length,
    index,
    phase: phases[index] ?? null,
    expires_at: "",
  });
  const request: RecordRequest = {
    camera,
    video: { videoWidth: 1280, videoHeight: 720 } as HTMLVideoElement,
    guidance,
    method: "ACTIVE_3D",
    attempt: 1,
    startChallenge: async () => view(0),
    nextPhase: async (_, phase) => {
      done.push(phase);
      return view(phase.index + 1);
    },
    events: {
      hint: () => undefined,
      phase: (phase) => shown.push(phase),
      colour: (rgb) => colours.push(rgb),
      progress: () => undefined,
      manualAllowed: () => undefined,
      shutter: () => undefined,
    },
    manual: new Promise(() => undefined),
    signal: stop.signal,
  };
  const watch = new Watch(request.video, guidance, request.events, 0);
  const recording = recordChallenge(request, watch, true, () => undefined);
  recording.catch(() => undefined);
  return { recording, done, shown, colours, stop };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "requestAnimationFrame", "cancelAnimationFrame"] });
});

afterEach(() => {
  vi.useRealTimers();
});

test("every uploaded picture was committed in the phase in which it was recorded", async () => {
  const { recording, done } = challengeOf([HOLD, LEFT, UP]);
  await vi.advanceTimersByTimeAsync(20_000);
  const { stills, frames } = await recording;
  expect(done.map(({ index }) => index)).toEqual([0, 1, 2]);
  const committed = done.flatMap((phase) => phase.frames.map(({ sha256 }) => Number(sha256)));
  const uploaded = await Promise.all(
    [...stills.map(({ picture }) => picture), ...frames].map(async (picture) => Number((await picture.text()).split(" ")[1])),
  );
  expect([...uploaded].sort((a, b) => a - b)).toEqual([...committed].sort((a, b) => a - b));
  for (const { started_ms, ended_ms, frames: phaseFrames } of done) {
    expect(phaseFrames.length).toBeLessThanOrEqual(64);
    for (const { at_ms } of phaseFrames) {
      expect(at_ms).toBeGreaterThanOrEqual(started_ms);
      expect(at_ms).toBeLessThanOrEqual(ended_ms);
    }
  }
});

test("the stills are taken in the hold phase, apart from one another", async () => {
  const { recording, done } = challengeOf([HOLD]);
  await vi.advanceTimersByTimeAsync(5_000);
  const { stills, origin } = await recording;
  expect(stills).toHaveLength(3);
  const times = stills.map(({ at }) => at - origin);
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(150);
  expect(times.every((at) => at <= done[0]!.ended_ms)).toBe(true);
});

describe("a turn", () => {
  test("ends soon after the head is there, but not before it could be seen", async () => {
    const pose = { now: { yaw: 0, pitch: 0, roll: 0 } };
    const { recording, done, shown } = challengeOf([HOLD, LEFT], guidanceOf(pose));
    while (shown.at(-1) !== LEFT) await vi.advanceTimersByTimeAsync(FRAME_MS);
    pose.now = { yaw: 20, pitch: 0, roll: 0 };
    await vi.advanceTimersByTimeAsync(10_000);
    await recording;
    const lasted = done[1]!.ended_ms - done[1]!.started_ms;
    expect(lasted).toBeGreaterThanOrEqual(700);
    expect(lasted).toBeLessThan(900);
  });

  test("that is not followed lasts as long as it may", async () => {
    const { recording, done } = challengeOf([HOLD, LEFT], guidanceOf({ now: { yaw: 0, pitch: 0, roll: 0 } }));
    await vi.advanceTimersByTimeAsync(20_000);
    await recording;
    const lasted = done[1]!.ended_ms - done[1]!.started_ms;
    expect(lasted).toBeGreaterThanOrEqual(6_000);
    expect(lasted).toBeLessThan(6_200);
  });

  test("that nobody watches lasts 2.5 s", async () => {
    const { recording, done } = challengeOf([HOLD, LEFT]);
    await vi.advanceTimersByTimeAsync(20_000);
    await recording;
    expect(done[1]!.ended_ms - done[1]!.started_ms).toBeCloseTo(2_500, -2);
  });

  test("goes on by time when the model fails on the way", async () => {
    const failing: Guidance = { look: async () => Promise.reject(new Error("lost")), close: () => undefined };
    const { recording, done } = challengeOf([HOLD, LEFT], failing);
    await vi.advanceTimersByTimeAsync(20_000);
    await recording;
    expect(done[1]!.ended_ms - done[1]!.started_ms).toBeLessThan(3_000);
  });
});

test("each colour has the time at which it was on the screen, and the screen is given back", async () => {
  const { recording, done, colours } = challengeOf([HOLD, COLOURS]);
  await vi.advanceTimersByTimeAsync(10_000);
  await recording;
  const { colour_starts_ms: starts, started_ms, ended_ms } = done[1]!;
  expect(starts).toHaveLength(2);
  expect(starts[0]).toBeGreaterThanOrEqual(started_ms);
  expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(400);
  expect(ended_ms - starts[1]!).toBeGreaterThanOrEqual(400);
  expect(colours.at(-1)).toBeNull();
});

test("an abort ends the recording at once with its reason", async () => {
  const { recording, done, stop, shown } = challengeOf([HOLD, LEFT]);
  await vi.advanceTimersByTimeAsync(100);
  stop.abort(new Error("the person left"));
  await expect(recording).rejects.toThrow("the person left");
  expect(done).toEqual([]);
  expect(shown.at(-1)).toBeNull();
});

test("a hidden page interrupts the challenge", async () => {
  const { recording } = challengeOf([HOLD, COLOURS]);
  await vi.advanceTimersByTimeAsync(1_000);
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  await expect(recording).rejects.toMatchObject({ name: "RecordingInterrupted" });
});
