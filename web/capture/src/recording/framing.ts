/** Frames the face until the page, or the person, decides that this is the picture. */

import { measureChange } from "../guidance/light";
import { choose, GoodFrames, MANUAL_AFTER_MS, REMEMBERED_FRAMES, SteadyVideo, type Candidate } from "../guidance/shutter";
import { Canvas, drawStill } from "./picture";
import type { Pixels, RecordRequest } from "./types";
import type { Watch } from "./watch";

/** Looks closer together than this show the same face twice and make a phone warm. */
const LOOK_EVERY_MS = 90;

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

  free(): void {
    for (const { canvas } of this.frames) canvas.free();
  }
}

/**
 * Wait for enough good frames in a row; without guidance for a steady video; or for the person's button, which is
 * offered after 8 s and at once on later tries. Returns whether the page decided by itself. `ring` has the frames.
 * Rejects with the signal's reason.
 */
export async function frameFace(request: RecordRequest, watch: Watch, ring: FrameRing, weight: number): Promise<boolean> {
  const { camera, video, events, signal } = request;
  const began = performance.now();
  const good = new GoodFrames();
  const steady = new SteadyVideo();
  let pressed = false;
  let offered = false;
  let before: Pixels | null = null;
  let last = -Infinity;
  void request.manual.then(() => {
    pressed = true;
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
    const frame = ring.remember(video, at);
    if (pressed) return false;
    const picture = watch.picture();
    const glimpse = await watch.look(picture, frame.canvas, at);
    signal.throwIfAborted();
    if (glimpse !== null) {
      frame.good = glimpse.hint === null;
      frame.sharpness = glimpse.sharpness;
      watch.tell(glimpse.hint, performance.now());
      const fires = good.next(frame.good);
      events.progress(weight * good.share);
      if (fires) return true;
    } else {
      const hint = watch.lightHint(picture);
      watch.tell(hint, at);
      const fires = steady.next(before && measureChange(before, picture), at);
      if (fires && hint === null) return true;
    }
    before = picture;
  }
}
