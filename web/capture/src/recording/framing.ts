/** Frames the face until the page, or the person, decides that this is the picture. */

import { measureChange } from "../guidance/light";
import { choose, GoodFrames, MANUAL_AFTER_MS, REMEMBERED_FRAMES, SteadyVideo, type Candidate } from "../guidance/shutter";
import { Canvas, drawStill } from "./picture";
import type { Pixels, RecordRequest } from "./types";
import type { Watch } from "./watch";

/** Looks closer together than this show the same face twice and make a phone warm. */
const LOOK_EVERY_MS = 100;
/** After the person's own press. */
const MANUAL_FRAMES = 4;

interface Remembered extends Candidate {
  canvas: Canvas;
}

/** The last frames at full size; the canvases are used in turn. */
export class FrameRing {
  private readonly frames: Remembered[] = [];

  remember(video: HTMLVideoElement, at: number): Remembered {
    const canvas = this.frames.length >= REMEMBERED_FRAMES ? this.frames.shift()!.canvas : new Canvas({ readBack: false });
    drawStill(canvas, video);
    const frame = { canvas, at, sharpness: 0, good: false };
    this.frames.push(frame);
    return frame;
  }

  /** Up to `count` of the frames, the best first, `spacingMs` apart. */
  best(count: number, spacingMs: number): { canvas: Canvas; at: number }[] {
    return choose(this.frames, count, spacingMs).map((i) => this.frames[i]!);
  }

  get size(): number {
    return this.frames.length;
  }

  /** Forget the frames and give their memory back. */
  free(): void {
    for (const { canvas } of this.frames.splice(0)) canvas.free();
  }
}

/** What the page has to decide whether a frame is good. */
class Shutter {
  private readonly frames = new GoodFrames();
  private readonly video = new SteadyVideo();
  private before: Pixels | null = null;
  private told = 0;

  constructor(
    private readonly watch: Watch,
    private readonly progress: (share: number) => void,
  ) {}

  /** Look at the present frame, which `frame` holds. Whether to take the picture now. */
  async next(frame: Remembered): Promise<boolean> {
    const picture = this.watch.picture();
    const before = this.before;
    this.before = picture;
    const glimpse = await this.watch.look(picture, frame.canvas, frame.at);
    if (glimpse === null) {
      const hint = this.watch.lightHint(picture);
      frame.sharpness = this.watch.sharpness(frame.canvas);
      this.watch.tell(hint, performance.now());
      return this.video.next(before && measureChange(before, picture), frame.at) && hint === null;
    }
    frame.good = glimpse.hint === null;
    frame.sharpness = glimpse.sharpness;
    this.watch.tell(glimpse.hint, performance.now());
    const fires = this.frames.next(frame.good);
    if (this.frames.share !== this.told) this.progress(this.frames.share);
    this.told = this.frames.share;
    return fires;
  }
}

/**
 * Wait for enough good frames in a row; without guidance for a steady video; or for the person's button, which is
 * offered after 8 s and at once on later tries. Returns whether the page decided by itself. `ring` has the frames: the
 * last ones before the page's decision, the first ones after the person's.
 * Rejects with the signal's reason.
 */
export async function frameFace(
  request: RecordRequest,
  watch: Watch,
  ring: FrameRing,
  progress: (share: number) => void,
): Promise<boolean> {
  const { camera, video, events, signal } = request;
  const began = performance.now();
  const shutter = new Shutter(watch, progress);
  const button = { pressed: false, heard: false };
  let offered = false;
  let last = -Infinity;
  void request.manual.then(() => {
    button.pressed = true;
  });
  for (;;) {
    const at = await camera.nextFrame(signal);
    if (!offered && (request.attempt > 1 || at - began >= MANUAL_AFTER_MS)) {
      offered = true;
      events.manualAllowed();
    }
    // A camera that comes back after a look at another tab has no size for a moment.
    if (at - last < LOOK_EVERY_MS || video.videoWidth === 0) continue;
    last = at;
    if (button.pressed && !button.heard) {
      // Whoever presses means the picture they see, not one of the last two seconds.
      ring.free();
      button.heard = true;
    }
    const frame = ring.remember(video, at);
    if (button.heard) {
      if (ring.size >= MANUAL_FRAMES) return false;
    } else if (await shutter.next(frame)) {
      return true;
    }
    signal.throwIfAborted();
  }
}
