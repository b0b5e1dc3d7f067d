/** The worker around the face model: loads it when told to, then answers one picture at a time. */

import type { Pixels, Sighting } from "../recording/types";
import { loadFaceModel, type FaceModel } from "./face_model";

export type ToWorker = { kind: "load"; base: string } | { kind: "look"; pixels: Pixels };

export type FromWorker =
  | { kind: "ready" }
  | { kind: "seen"; sighting: Sighting | null }
  | { kind: "failed"; reason: string };

let model: FaceModel | null = null;

const answer = (message: FromWorker): void => {
  // The lib of the page knows `self` as a window, whose postMessage wants an origin.
  (self as unknown as { postMessage(message: FromWorker): void }).postMessage(message);
};

self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  try {
    if (data.kind === "load") {
      model = await loadFaceModel(data.base);
      answer({ kind: "ready" });
    } else {
      answer({ kind: "seen", sighting: (await model?.look(data.pixels)) ?? null });
    }
  } catch (error) {
    answer({ kind: "failed", reason: String(error) });
  }
};
