/** Loads the face model where it disturbs least: in a worker, else on the main thread, else not at all. */

import type { Guidance, Pixels, Sighting } from "../recording/types";
import type { FromWorker, ToWorker } from "./worker";

/** The page goes on by time when the models are not there by then. */
export const LOAD_LIMIT_MS = 15_000;
/** A look that takes longer than this on any device in use has hung. */
const LOOK_LIMIT_MS = 8_000;

/**
 * Guidance from our own server's models, or null when the browser or the line is not up to it. Never rejects.
 */
export async function loadGuidance(): Promise<Guidance | null> {
  const base = new URL(`${import.meta.env.BASE_URL}guidance`, window.location.href).href;
  try {
    return await within(LOAD_LIMIT_MS, inWorker(base));
  } catch (error) {
    // Too slow in a worker is too slow elsewhere. A browser without module workers fails at once: there the main thread
    // does the same work.
    if (error instanceof Late) return null;
  }
  try {
    return await within(LOAD_LIMIT_MS, onMainThread(base));
  } catch {
    return null;
  }
}

async function inWorker(base: string): Promise<Guidance> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const ask = (message: ToWorker): Promise<FromWorker> =>
    new Promise((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<FromWorker>) => resolve(event.data);
      worker.onerror = (event) => reject(new Error(event.message || "The worker could not start."));
      worker.postMessage(message);
    });
  try {
    const answer = await within(LOAD_LIMIT_MS, ask({ kind: "load", base }));
    if (answer.kind !== "ready") throw new Error(answer.kind === "failed" ? answer.reason : "Unexpected answer.");
  } catch (error) {
    worker.terminate();
    throw error;
  }
  const look = async (picture: Pixels): Promise<Sighting | null> => {
    const { data, width, height } = picture;
    const answer = await ask({ kind: "look", pixels: { data, width, height } });
    if (answer.kind !== "seen") throw new Error(answer.kind === "failed" ? answer.reason : "Unexpected answer.");
    return answer.sighting;
  };
  return oneAtATime(look, () => worker.terminate());
}

async function onMainThread(base: string): Promise<Guidance> {
  const { loadFaceModel } = await import("./face_model");
  const model = await loadFaceModel(base);
  return oneAtATime(model.look, () => undefined);
}

/** A look under way answers everybody who asks meanwhile; one that hangs or comes after the end rejects. */
export function oneAtATime(look: Guidance["look"], end: () => void): Guidance {
  let underWay: Promise<Sighting | null> | null = null;
  let closed = false;
  return {
    look(picture) {
      if (closed) return Promise.reject(new Error("The guidance is closed."));
      underWay ??= within(LOOK_LIMIT_MS, look(picture)).finally(() => {
        underWay = null;
      });
      return underWay;
    },
    close() {
      closed = true;
      end();
    },
  };
}

class Late extends Error {}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`No answer within ${limitMs} ms.`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
