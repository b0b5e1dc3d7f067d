/** Looks at frames for the recorder: what the guidance sees, what the light meter says, which hint follows. */

import { CalmHint } from "../guidance/debounce";
import { idealFace, judge, judgeLight, LOOSEN_AFTER_MS, type View } from "../guidance/gates";
import { measureLight, measureSharpness } from "../guidance/light";
import type { Guidance, HintCode, Pixels, RecordingEvents, Sighting } from "./types";
import { FaceMagnifier, SmallPicture, type Canvas } from "./picture";

/** A face lost for longer is not the one that was too close. */
const LAST_SEEN_MS = 1_500;
/** Frames whose median sharpness is the usual one. */
const USUAL_FRAMES = 15;
const LEAST_FRAMES = 4;
/** UX.md 1.3, gate 10: never block repeatedly on closed eyes. */
const EYES_PATIENCE_MS = 3_000;

export interface Glimpse {
  at: number;
  sighting: Sighting | null;
  sharpness: number;
  hint: HintCode | null;
}

export class Watch {
  private readonly small = new SmallPicture();
  private readonly magnifier = new FaceMagnifier();
  private readonly calm = new CalmHint();
  private readonly sharpnesses: number[] = [];
  private lastSeen: { at: number; sighting: Sighting } | null = null;
  private eyesClosedSince: number | null = null;
  private eyesForgiven = false;
  private shown: HintCode | null = null;
  private looking = false;

  /** `began`: performance.now() when the person began; `guidance` becomes null when it fails. */
  constructor(
    private readonly video: HTMLVideoElement,
    public guidance: Guidance | null,
    private readonly events: RecordingEvents,
    private readonly began: number,
  ) {}

  /** The present frame, small. */
  picture(): Pixels {
    return this.small.take(this.video);
  }

  /** Look at `picture`, taken at `at` together with `still`. Null when there is no guidance (any more). */
  async look(picture: Pixels, still: Canvas | null, at: number): Promise<Glimpse | null> {
    if (this.guidance === null) return null;
    let sighting: Sighting | null;
    try {
      sighting = await this.guidance.look(picture);
    } catch {
      this.guidance = null;
      return null;
    }
    const view = this.view(picture, sighting, still, at);
    const leniency = { loose: at - this.began > LOOSEN_AFTER_MS, eyesForgiven: this.eyesForgiven };
    const hint = judge(view.of, leniency);
    this.forgiveEyes(hint, at);
    if (sighting !== null) this.lastSeen = { at, sighting };
    return { at, sighting, sharpness: view.sharpness, hint };
  }

  /** Look without waiting: what was seen comes to `then`; a frame that comes during a look is skipped. */
  glance(at: number, then: (glimpse: Glimpse) => void): void {
    if (this.guidance === null || this.looking) return;
    this.looking = true;
    void this.look(this.picture(), null, at)
      .then((glimpse) => glimpse && then(glimpse))
      .finally(() => {
        this.looking = false;
      });
  }

  /** The hint that a page without guidance can give: too dark or too bright. */
  lightHint(picture: Pixels): HintCode | null {
    return judgeLight(measureLight(picture, idealFace(picture)));
  }

  /** Detail where the face should be, when nobody can say where it is. */
  sharpness(still: Canvas): number {
    return measureSharpness(this.magnifier.look(still.element, idealFace(still.element)));
  }

  /** Show `code` when it has lasted; tells the page only of changes. */
  tell(code: HintCode | null, now: number): void {
    this.show(this.calm.next(code, now));
  }

  /** Take the hint away at once: the picture is being taken. */
  clear(): void {
    this.show(null);
  }

  free(): void {
    this.small.free();
    this.magnifier.free();
  }

  private show(code: HintCode | null): void {
    if (code !== this.shown) this.events.hint(code);
    this.shown = code;
  }

  private view(
    picture: Pixels,
    sighting: Sighting | null,
    still: Canvas | null,
    at: number,
  ): { of: View; sharpness: number } {
    const frame = { width: this.video.videoWidth, height: this.video.videoHeight };
    const recent = this.lastSeen !== null && at - this.lastSeen.at < LAST_SEEN_MS ? this.lastSeen.sighting : null;
    if (sighting === null) {
      return { of: { frame, sighting, light: null, relativeSharpness: null, lastSeen: recent }, sharpness: 0 };
    }
    const sharpness = still === null ? 0 : measureSharpness(this.magnifier.look(still.element, sighting.box));
    const relativeSharpness = still === null ? null : this.relative(sharpness);
    const light = measureLight(picture, sighting.box);
    return { of: { frame, sighting, light, relativeSharpness, lastSeen: recent }, sharpness };
  }

  private relative(sharpness: number): number | null {
    const sorted = [...this.sharpnesses].sort((a, b) => a - b);
    const usual = sorted[Math.floor(sorted.length / 2)];
    this.sharpnesses.push(sharpness);
    if (this.sharpnesses.length > USUAL_FRAMES) this.sharpnesses.shift();
    return usual === undefined || sorted.length < LEAST_FRAMES ? null : sharpness / Math.max(usual, 1e-6);
  }

  private forgiveEyes(hint: HintCode | null, at: number): void {
    if (hint !== "eyes_closed") this.eyesClosedSince = null;
    else this.eyesClosedSince ??= at;
    if (this.eyesClosedSince !== null && at - this.eyesClosedSince > EYES_PATIENCE_MS) this.eyesForgiven = true;
  }
}
