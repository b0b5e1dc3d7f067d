/** Knows when the video shows new frames. */

/** As many times as Observations can carry. */
const REMEMBERED = 600;

type VideoWithCallback = HTMLVideoElement & Required<Pick<HTMLVideoElement, "requestVideoFrameCallback">>;

/** Runs from construction until `stop`; survives a change of the video's stream. */
export class FrameClock {
  private readonly times: number[] = [];
  private readonly waiting = new Set<(at: number) => void>();
  private handle = 0;
  private stopped = false;
  private lastPosition = -1;

  constructor(private readonly video: HTMLVideoElement) {
    this.arm();
  }

  /** Milliseconds of performance.now() when the camera captured each frame, the latest 600. */
  frameTimes(): number[] {
    return [...this.times];
  }

  /** performance.now() when the video shows its next frame; rejects with the signal's reason. */
  next(signal?: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const give = (at: number): void => {
        signal?.removeEventListener("abort", giveUp);
        resolve(at);
      };
      const giveUp = (): void => {
        this.waiting.delete(give);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.waiting.add(give);
    });
  }

  stop(): void {
    this.stopped = true;
    if (withCallback(this.video)) this.video.cancelVideoFrameCallback(this.handle);
    else cancelAnimationFrame(this.handle);
  }

  private arm(): void {
    if (this.stopped) return;
    if (withCallback(this.video)) {
      this.handle = this.video.requestVideoFrameCallback((_, metadata) => {
        // The time of presentation falls on the screen's beat; that of capture is the camera's own.
        this.tick(metadata.captureTime ?? performance.now());
        this.arm();
      });
    } else {
      this.handle = requestAnimationFrame(() => {
        const position = (this.video as HTMLVideoElement).currentTime;
        if (position !== this.lastPosition) this.tick(performance.now());
        this.lastPosition = position;
        this.arm();
      });
    }
  }

  private tick(capturedAt: number): void {
    this.times.push(capturedAt);
    if (this.times.length > REMEMBERED) this.times.shift();
    const now = performance.now();
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const give of waiting) give(now);
  }
}

function withCallback(video: HTMLVideoElement): video is VideoWithCallback {
  return typeof video.requestVideoFrameCallback === "function";
}
