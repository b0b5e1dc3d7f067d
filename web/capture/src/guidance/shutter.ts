/** When to take the picture and which of the last frames it is. Pure: time is passed in. */

/** UX.md 1.2: the picture is taken after this many good frames in a row. */
export const GOOD_IN_A_ROW = 4;
/** UX.md 1.3: the sharpest of the last 10 frames is taken. */
export const REMEMBERED_FRAMES = 10;
/** UX.md 1.2: a button appears for those whom the page cannot help. */
export const MANUAL_AFTER_MS = 8_000;
/** Without guidance: so long must the video be steady. */
export const STEADY_MS = 2_500;
/**
 * Grey levels between two small pictures 100 ms apart. On rendered heads (ipse.samples.head) sensor noise gave 0.8, a
 * shift by 1 % of the frame 4-5, by 3 % 7-11.
 */
export const STEADY_CHANGE = 6;

/** Fires once the gates were content with enough frames in a row. */
export class GoodFrames {
  private row = 0;

  /** Whether to take the picture now. */
  next(good: boolean): boolean {
    this.row = good ? this.row + 1 : 0;
    return this.row >= GOOD_IN_A_ROW;
  }

  /** 0-1: how near the picture is. */
  get share(): number {
    return Math.min(1, this.row / GOOD_IN_A_ROW);
  }
}

/** Fires once the video did not change much for a while: the shutter of a page without guidance. */
export class SteadyVideo {
  private since: number | null = null;

  /** `change`: mean difference of luma to the frame before (0-255), null for the first. */
  next(change: number | null, now: number): boolean {
    if (change === null || change > STEADY_CHANGE) {
      this.since = now;
      return false;
    }
    this.since ??= now;
    return now - this.since >= STEADY_MS;
  }
}

export interface Candidate {
  at: number;
  sharpness: number;
  good: boolean;
}

/**
 * Indices of up to `count` candidates, the best first and the others as near to it in time as `spacingMs` between any
 * two allows. Good ones go before sharp ones, and of equals the latest. Empty when there are no candidates.
 */
export function choose(candidates: readonly Candidate[], count: number, spacingMs: number): number[] {
  const rank = (i: number): number => (candidates[i]!.good ? 1e9 : 0) + candidates[i]!.sharpness;
  const all = candidates.map((_, i) => i);
  const best = all.reduce<number | null>((found, i) => (found === null || rank(i) >= rank(found) ? i : found), null);
  if (best === null) return [];
  const chosen = [best];
  const distance = (i: number): number => Math.abs(candidates[i]!.at - candidates[best]!.at);
  const others = all.filter((i) => i !== best && (candidates[i]!.good || !candidates[best]!.good));
  for (const i of others.sort((a, b) => distance(a) - distance(b))) {
    if (chosen.length >= count) break;
    if (chosen.every((other) => Math.abs(candidates[i]!.at - candidates[other]!.at) >= spacingMs)) chosen.push(i);
  }
  return chosen;
}
