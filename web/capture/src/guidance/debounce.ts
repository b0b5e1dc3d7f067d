/** Keeps the hint calm. Pure: time is passed in. */

import type { HintCode } from "../recording/types";

/** UX.md 1.3: a hint stays at least this long. */
export const KEEP_MS = 1200;
/** UX.md 1.3: another one must last this long before it is shown. */
export const PERSIST_MS = 300;

/** One hint at a time: give it what the gates say of each frame, show what it answers. */
export class CalmHint {
  private shown: HintCode | null = null;
  private shownSince = -Infinity;
  private coming: HintCode | null = null;
  private comingSince = 0;

  /** The hint to show at `now` (milliseconds, never going back). */
  next(code: HintCode | null, now: number): HintCode | null {
    if (code !== this.coming) {
      this.coming = code;
      this.comingSince = now;
    }
    const lasted = now - this.comingSince >= PERSIST_MS;
    const seen = this.shown === null || now - this.shownSince >= KEEP_MS;
    if (this.coming !== this.shown && lasted && seen) {
      this.shown = this.coming;
      this.shownSince = now;
    }
    return this.shown;
  }
}
