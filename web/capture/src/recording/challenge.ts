/** Goes through a challenge as docs/decisions/0011 has it: show a phase, record it, commit to it, learn the next. */

import { framesOfPhase } from "./budget";
import { Collector, type RecordedFrame } from "./collector";
import { nextPaint, pause, whileVisible } from "./interruption";
import { Canvas, digest, drawStill, encodeStill } from "./picture";
import { blindTurnMs, medianPose, TurnWatch } from "./turn";
import type { ChallengeView, CommittedFrame, HoldStill, Phase, Pose, RecordRequest, ShowColours, Turn } from "./types";
import type { Watch } from "./watch";

const STILLS = 3;
const STILL_SPACING_MS = 150;
/** Frames of the hold phase before it may end: the pose needs several looks. */
const LEAST_HOLD_FRAMES = 4;
// A little less than 8 and 10 frames a second ask for, because cameras deliver on their own beat.
const MOTION_SPACING_MS = 110;
const COLOUR_SPACING_MS = 80;

interface Still {
  at: number;
  picture: Promise<Blob>;
}

interface RecordedPhase {
  started: number;
  ended: number;
  colourStarts: number[];
  frames: readonly RecordedFrame[];
  stills: readonly Still[];
}

/** What a method recorded. */
export interface Recorded {
  challenge: string | null;
  /** performance.now() at the zero of every time that is told: when phase 0 of the challenge arrived. */
  origin: number;
  stills: { at: number; picture: Blob }[];
  frames: Blob[];
}

/**
 * Ask for a challenge and record it. Rejects with the signal's reason, with `RecordingInterrupted` when the page is
 * hidden meanwhile, and with whatever the API calls reject with.
 */
export async function recordChallenge(
  request: RecordRequest,
  watch: Watch,
  automatic: boolean,
  progress: (share: number) => void,
): Promise<Recorded> {
  const { signal, end } = whileVisible(request.signal);
  try {
    return await new Run(request, watch, signal, progress).all(automatic);
  } finally {
    end();
    request.events.colour(null);
    request.events.phase(null);
  }
}

class Run {
  /** The pose of the hold phase; null without guidance. */
  private straight: Pose | null = null;

  constructor(
    private readonly request: RecordRequest,
    private readonly watch: Watch,
    private readonly signal: AbortSignal,
    private readonly progress: (share: number) => void,
  ) {}

  async all(automatic: boolean): Promise<Recorded> {
    let view: ChallengeView = await this.request.startChallenge();
    const origin = performance.now();
    this.signal.throwIfAborted();
    const recorded: Recorded = { challenge: view.challenge, origin, stills: [], frames: [] };
    this.request.events.shutter(automatic);
    while (view.phase !== null) {
      const phase = await this.record(view.phase, framesOfPhase(view.index, view.phases));
      const stills = await settled(phase.stills);
      const frames = await settled(phase.frames);
      const committed = await commit([...stills, ...frames], origin);
      recorded.stills.push(...stills);
      recorded.frames.push(...frames.map(({ picture }) => picture));
      const index = view.index;
      view = await this.request.nextPhase(view.challenge, {
        index,
        started_ms: phase.started - origin,
        ended_ms: phase.ended - origin,
        colour_starts_ms: phase.colourStarts.map((at) => at - origin),
        frames: committed,
      });
      this.signal.throwIfAborted();
      this.progress((index + 1) / Math.max(1, view.phases));
    }
    return recorded;
  }

  private async record(phase: Phase, limit: number): Promise<RecordedPhase> {
    this.request.events.phase(phase);
    const spacing = phase.kind === "colours" ? COLOUR_SPACING_MS : MOTION_SPACING_MS;
    const collector = new Collector(this.request.video, spacing, limit);
    try {
      switch (phase.kind) {
        case "hold":
          return await this.hold(phase, collector);
        case "turn":
          return await this.turn(phase, collector);
        case "colours":
          return await this.colours(phase, collector);
      }
    } finally {
      collector.free();
    }
  }

  private async hold(phase: HoldStill, collector: Collector): Promise<RecordedPhase> {
    const started = performance.now();
    const stills: Still[] = [];
    const poses: Pose[] = [];
    let good = this.watch.guidance === null;
    let elapsed = 0;
    const enough = (): boolean =>
      stills.length >= STILLS && collector.frames().length >= LEAST_HOLD_FRAMES && elapsed >= phase.min_ms;
    while (!enough() && (elapsed < phase.max_ms || stills.length === 0)) {
      const at = await this.request.camera.nextFrame(this.signal);
      elapsed = at - started;
      collector.offer();
      this.watch.glance(at, (glimpse) => {
        good = glimpse.hint === null;
        if (glimpse.sighting !== null) poses.push(glimpse.sighting.pose);
        this.watch.tell(glimpse.hint, performance.now());
      });
      const due = stills.length < STILLS && at - (stills.at(-1)?.at ?? -Infinity) >= STILL_SPACING_MS;
      // Whoever cannot keep the pose gets the picture of the moment; the server says what to change.
      if (due && (good || this.watch.guidance === null || elapsed > phase.max_ms / 2)) stills.push(this.still());
    }
    this.watch.clear();
    this.straight = medianPose(poses);
    return { started, ended: performance.now(), colourStarts: [], frames: collector.frames(), stills };
  }

  private async turn(phase: Turn, collector: Collector): Promise<RecordedPhase> {
    const started = performance.now();
    const watched = this.watch.guidance !== null && this.straight !== null;
    const turned = watched ? new TurnWatch(phase, this.straight!) : null;
    let followed = false;
    let elapsed = 0;
    // Guidance that fails on the way leaves the rest of this turn to the clock.
    const limit = (): number => (turned && this.watch.guidance !== null ? phase.max_ms : blindTurnMs(phase));
    while (!(followed && elapsed >= phase.min_ms) && elapsed < limit()) {
      const at = await this.request.camera.nextFrame(this.signal);
      elapsed = at - started;
      collector.offer();
      this.watch.glance(at, (glimpse) => {
        followed = followed || (turned?.next(glimpse.sighting?.pose ?? null, glimpse.at) ?? false);
        this.watch.tell(glimpse.sighting === null ? glimpse.hint : null, performance.now());
      });
    }
    this.watch.clear();
    return { started, ended: performance.now(), colourStarts: [], frames: collector.frames(), stills: [] };
  }

  // The model rests meanwhile: every picture of the camera counts, and the light of the screen must change on time.
  private async colours(phase: ShowColours, collector: Collector): Promise<RecordedPhase> {
    const { camera, events } = this.request;
    const done = new AbortController();
    const stop = (): void => done.abort(this.signal.reason);
    this.signal.addEventListener("abort", stop, { once: true });
    const started = performance.now();
    const colourStarts: number[] = [];
    const collecting = collector.run(camera, done.signal);
    try {
      for (const { rgb, ms } of phase.colours) {
        events.colour(rgb);
        const shown = await nextPaint(this.signal);
        colourStarts.push(shown);
        await pause(Math.max(0, shown + ms - performance.now()), this.signal);
      }
    } finally {
      done.abort();
      this.signal.removeEventListener("abort", stop);
      await collecting;
      events.colour(null);
    }
    return { started, ended: performance.now(), colourStarts, frames: collector.frames(), stills: [] };
  }

  private still(): Still {
    const canvas = new Canvas({ readBack: false });
    const at = performance.now();
    drawStill(canvas, this.request.video);
    const picture = encodeStill(canvas).finally(() => canvas.free());
    picture.catch(() => undefined);
    return { at, picture };
  }
}

async function settled(frames: readonly { at: number; picture: Promise<Blob> }[]): Promise<{ at: number; picture: Blob }[]> {
  return Promise.all(frames.map(async ({ at, picture }) => ({ at, picture: await picture })));
}

async function commit(frames: readonly { at: number; picture: Blob }[], origin: number): Promise<CommittedFrame[]> {
  const inOrder = [...frames].sort((a, b) => a.at - b.at);
  return Promise.all(
    inOrder.map(async ({ at, picture }) => ({ sha256: await digest(picture), at_ms: at - origin })),
  );
}
