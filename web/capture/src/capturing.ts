/**
 * From an open camera to a finished recording, with the screens told along the way.
 */
import { ApiError, NoAnswer } from "./api";
import { vibrate, type Announcer } from "./announcer";
import type { Texts } from "./i18n";
import { methodOf } from "./model";
import type { Camera, Guidance } from "./recording/types";
import type { Session } from "./session";

type Engine = typeof import("./engine");

/** So long the open camera waits for guidance that is still loading; then it goes on by time. */
const GUIDANCE_PATIENCE_MS = 6000;

let engine: Promise<Engine> | null = null;
let guidance: Promise<Guidance | null> | null = null;

/** Begin to load what the camera screens need. May be called often. */
export function prepare(): Promise<Engine> {
  engine ??= import("./engine").catch(() => {
    engine = null;
    throw new NoAnswer();
  });
  guidance ??= engine.then(({ loadGuidance }) => loadGuidance()).catch(() => null);
  void guidance.then((loaded) => {
    // What failed once, on a weak line, is tried again with the next try.
    if (loaded === null) guidance = null;
  });
  return engine;
}

export interface Taking {
  session: Session;
  texts: Texts;
  announcer: Announcer;
  video: HTMLVideoElement;
  deviceId: string | null;
  /** Resolves when the person presses the button. */
  manual: Promise<void>;
  signal: AbortSignal;
  /** The camera is open; these are the cameras to choose from. */
  opened(devices: { id: string; label: string }[], guided: boolean): void;
  shutter(): void;
}

/** Open the camera, guide, record and hand over the recording. Errors become screens; an abort ends it silently. */
export async function take(taking: Taking): Promise<void> {
  const { session, signal } = taking;
  let camera: Camera | null = null;
  try {
    const parts = await prepare();
    if (signal.aborted) return;
    const { facing } = session.host.address.camera;
    const options = taking.deviceId === null ? { facing } : { facing, deviceId: taking.deviceId };
    camera = await parts.openCamera(taking.video, options);
    if (signal.aborted) return;
    camera.onEnded(() => {
      if (!signal.aborted) session.dispatch({ type: "camera-failed", problem: "unknown" });
    });
    const guided = await Promise.race([guidance, session.host.transport.wait(GUIDANCE_PATIENCE_MS)]);
    taking.opened(await camera.devices(), Boolean(guided));
    if (signal.aborted) return;
    const recording = await record(parts, taking, camera, guided ?? null);
    if (!signal.aborted) await session.recorded(recording);
  } catch (error) {
    if (!signal.aborted) await explain(error, session);
  } finally {
    camera?.stop();
  }
}

function record(parts: Engine, taking: Taking, camera: Camera, guided: Guidance | null) {
  const { session, texts, announcer, video, manual, signal } = taking;
  const { step } = session.model.capture ?? {};
  if (!step) throw new Error("There is no step to record for.");
  const method = methodOf(step, session.model.chosen);
  return parts.record({
    camera,
    video,
    guidance: guided,
    method,
    attempt: step.attempt,
    startChallenge: () => session.startChallenge(method),
    nextPhase: session.phaseDone,
    manual,
    signal,
    events: {
      hint: (hint) => session.dispatch({ type: "hint", hint }),
      phase: (phase) => {
        if (phase !== null) vibrate(30);
        session.dispatch({ type: "phase", phase });
      },
      colour: (colour) => session.dispatch({ type: "colour", colour }),
      progress: (share) => session.dispatch({ type: "progress", share }),
      manualAllowed: () => session.dispatch({ type: "manual-allowed" }),
      shutter: () => {
        vibrate([40, 40, 40]);
        announcer.polite(texts.say("framing.taken"));
        taking.shutter();
      },
    },
  });
}

async function explain(error: unknown, session: Session): Promise<void> {
  const parts = await prepare().catch(() => null);
  if (parts !== null && error instanceof parts.CameraError) {
    return session.dispatch({ type: "camera-failed", problem: error.problem });
  }
  if (parts !== null && error instanceof parts.RecordingInterrupted) return session.recordingLost("took_too_long");
  if (error instanceof NoAnswer) return session.recordingLost("other");
  if (error instanceof ApiError && !error.locked && [404, 409, 410, 429].includes(error.status)) {
    return session.recordingLost("took_too_long");
  }
  session.fail(error);
}
