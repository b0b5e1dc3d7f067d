/** Records the small frames of one phase of a challenge. */

import { EvenBudget } from "./budget";
import { Canvas, encode } from "./picture";
import type { Camera } from "./types";

/** Wide enough for landmarks of a face that fills a fifth of it. */
const WIDTH_PX = 480;
const QUALITY = 0.7;

export interface RecordedFrame {
  /** performance.now() when it was drawn from the video. */
  at: number;
  picture: Promise<Blob>;
}

export class Collector {
  private readonly canvas = new Canvas({ readBack: false });
  private readonly budget: EvenBudget<RecordedFrame>;
  private last = -Infinity;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly spacingMs: number,
    limit: number,
  ) {
    this.budget = new EvenBudget(limit);
  }

  /** Offer the video's present frame; it is taken when its turn has come. */
  offer(): void {
    const at = performance.now();
    if (at - this.last < this.spacingMs || this.video.videoWidth === 0) return;
    this.last = at;
    if (!this.budget.wants()) return this.budget.skip();
    this.canvas.draw(this.video, WIDTH_PX, "width");
    const picture = encode(this.canvas, QUALITY);
    // Whoever drops the frame does not care whether it could be encoded.
    picture.catch(() => undefined);
    this.budget.add({ at, picture });
  }

  /** Offer every frame until `until` aborts. Rejects only with another reason than that of `until`. */
  async run(camera: Camera, until: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await camera.nextFrame(until);
        this.offer();
      }
    } catch (error) {
      if (error !== until.reason) throw error;
    }
  }

  frames(): readonly RecordedFrame[] {
    return this.budget.items();
  }

  free(): void {
    this.canvas.free();
  }
}
