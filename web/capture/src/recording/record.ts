/** From an open camera to pictures that can be sent. */

import { recordChallenge, type Recorded } from "./challenge";
import { frameFace, FrameRing } from "./framing";
import { RecordingInterrupted } from "./interruption";
import { observe } from "./observations";
import { encodeStill } from "./picture";
import type { Recording, RecordRequest } from "./types";
import { Watch } from "./watch";

/** PASSIVE sends a short burst around the best frame. */
const BURST = 4;
const BURST_SPACING_MS = 100;
/** Share of the progress that belongs to framing when a challenge follows. */
const FRAMING_SHARE = 0.25;

/**
 * Frame the face and record what `method` asks for. A challenge that the person left for another tab begins anew, from
 * framing on, when they are back. Rejects with the signal's reason and with what `startChallenge` and `nextPhase`
 * reject with.
 */
export async function record(request: RecordRequest): Promise<Recording> {
  let guidance = request.guidance;
  for (;;) {
    const watch = new Watch(request.video, guidance, request.events, performance.now());
    try {
      return await attempt(request, watch);
    } catch (error) {
      if (!(error instanceof RecordingInterrupted)) throw error;
      request.events.progress(0);
    } finally {
      guidance = watch.guidance;
      watch.free();
    }
  }
}

async function attempt(request: RecordRequest, watch: Watch): Promise<Recording> {
  const { camera, events, method, signal } = request;
  const began = performance.now();
  const ring = new FrameRing();
  const challenged = method !== "PASSIVE";
  try {
    signal.throwIfAborted();
    const automatic = await frameFace(request, watch, ring, (share) =>
      events.progress(challenged ? FRAMING_SHARE * share : share),
    );
    watch.clear();
    let made: Recorded;
    if (challenged) {
      ring.free();
      made = await recordChallenge(request, watch, automatic, (share) =>
        events.progress(FRAMING_SHARE + (1 - FRAMING_SHARE) * share),
      );
    } else {
      events.shutter(automatic);
      made = await burst(ring, began);
    }
    signal.throwIfAborted();
    events.progress(1);
    const stills = made.stills.map(({ picture }) => picture);
    return {
      method,
      challenge: made.challenge,
      stills,
      challengeFrames: made.frames,
      observations: observe(camera, { stillsAt: made.stills.map(({ at }) => at), origin: made.origin, automatic }),
      preview: stills[0]!,
    };
  } finally {
    ring.free();
  }
}

async function burst(ring: FrameRing, origin: number): Promise<Recorded> {
  const stills = [];
  for (const { at, canvas } of ring.best(BURST, BURST_SPACING_MS)) {
    stills.push({ at, picture: await encodeStill(canvas) });
  }
  return { challenge: null, origin, stills, frames: [] };
}
