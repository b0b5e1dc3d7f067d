/** How many frames of a challenge are kept. Pure. */

/** The server takes 64 with a submission; a few are left for a phase that the page does not foresee. */
export const CHALLENGE_FRAMES = 60;
/** Small frames of the hold phase: the pose to which the turns are compared. */
export const HOLD_FRAMES = 6;

/** Frames that phase `index` of `phases` may keep: the first one holds still, the others share the rest. */
export function framesOfPhase(index: number, phases: number): number {
  if (index === 0) return HOLD_FRAMES;
  return Math.max(1, Math.floor((CHALLENGE_FRAMES - HOLD_FRAMES) / Math.max(1, phases - 1)));
}

/** Keeps at most `limit` of an unknown number of things, spread evenly from the first to the latest. */
export class EvenBudget<T> {
  private kept: T[] = [];
  private stride = 1;
  private seen = 0;

  constructor(private readonly limit: number) {}

  /** Whether the coming thing would be kept; count it with `add` or `skip`. */
  wants(): boolean {
    return this.seen % this.stride === 0;
  }

  add(item: T): void {
    if (this.wants()) {
      if (this.kept.length === this.limit && this.limit > 1) {
        this.kept = this.kept.filter((_, i) => i % 2 === 0);
        this.stride *= 2;
      }
      if (this.wants() && this.kept.length < this.limit) this.kept.push(item);
    }
    this.seen += 1;
  }

  skip(): void {
    this.seen += 1;
  }

  items(): readonly T[] {
    return this.kept;
  }
}
