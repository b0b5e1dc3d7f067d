/**
 * Finds the face and the head's angles in a small picture, with the models of @vladmandic/human on WebAssembly.
 *
 * Runs in a worker, or on the main thread where a browser has no module workers. Nothing of it is evidence.
 */

import { Human, type Config, type FaceResult } from "@vladmandic/human";

import type { FaceBox, Pixels, Pose, Sighting } from "../recording/types";

export interface FaceModel {
  /** Null when there is no face. */
  look(pixels: Pixels): Promise<Sighting | null>;
}

/** UX.md 1.3, gate 2. */
const LEAST_SCORE = 0.5;

const MODELS = ["blazeface", "facemesh"] as const;

// Only what framing needs. Everything that estimates who somebody is or feels stays off.
const config = (base: string): Partial<Config> => ({
  backend: "wasm",
  wasmPath: `${base}/wasm/`,
  modelBasePath: `${base}/models/`,
  debug: false,
  async: false,
  warmup: "none",
  cacheModels: false,
  // The detector looks at every frame: a second person must be seen at once.
  cacheSensitivity: 0,
  filter: { enabled: false } as Config["filter"],
  gesture: { enabled: false },
  body: { enabled: false } as Config["body"],
  hand: { enabled: false } as Config["hand"],
  object: { enabled: false } as Config["object"],
  segmentation: { enabled: false } as Config["segmentation"],
  face: {
    enabled: true,
    detector: { modelPath: "blazeface.json", rotation: false, return: false, maxDetected: 2, minConfidence: LEAST_SCORE },
    mesh: { enabled: true, modelPath: "facemesh.json" },
    attention: { enabled: false },
    iris: { enabled: false },
    emotion: { enabled: false },
    description: { enabled: false },
    antispoof: { enabled: false },
    liveness: { enabled: false },
  } as unknown as Config["face"],
});

/**
 * Load the models from `base` (our own server) and run them once, so that the first look is as quick as the others.
 * Rejects when WebAssembly or a file is missing.
 */
export async function loadFaceModel(base: string): Promise<FaceModel> {
  const human = new Human(config(base));
  await human.load();
  if (human.tf.getBackend() !== "wasm") throw new Error("No WebAssembly backend.");
  // The library only logs a model that could not be fetched, counts it as loaded, and hangs at the first look.
  const missing = MODELS.filter((name) => !(human.models.models[name] as { executor?: unknown } | null)?.executor);
  if (missing.length > 0) throw new Error(`Could not load ${missing.join(", ")}.`);
  const look = async ({ data, width, height }: Pixels): Promise<Sighting | null> => {
    const tensor = human.tf.tensor(new Int32Array(data), [height, width, 4], "int32");
    try {
      const result = await human.detect(tensor);
      if (result.error) throw new Error(result.error);
      return sighting(result.face, width, height);
    } finally {
      human.tf.dispose(tensor);
    }
  };
  await look({ data: new Uint8ClampedArray(64 * 64 * 4), width: 64, height: 64 });
  return { look };
}

function sighting(faces: FaceResult[], width: number, height: number): Sighting | null {
  const largest = faces.reduce<FaceResult | null>(
    (best, face) => (best === null || face.boxRaw[2] > best.boxRaw[2] ? face : best),
    null,
  );
  if (largest === null) return null;
  return {
    faces: faces.length,
    score: largest.score,
    box: meshBox(largest, width, height),
    pose: poseOf(largest),
    eyesOpen: eyesOpen(largest),
  };
}

// The model's own box is enlarged and square; the mesh reaches from the hairline to the chin.
function meshBox(face: FaceResult, width: number, height: number): FaceBox {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of face.mesh) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { x: left / width, y: top / height, width: (right - left) / width, height: (bottom - top) / height };
}

// Indices of the face mesh.
const [FOREHEAD, CHIN, RIGHT_CHEEK, LEFT_CHEEK] = [10, 152, 234, 454] as const;
/** Pixels of the mesh model's input, in which it tells depths. */
const MESH_INPUT_PX = 192;

// The library's own angles leave depths in the model's units while x and y are the picture's, and so see about half of
// a turn. Depth grows away from the camera; the picture is not mirrored, so the person's left is on its right.
function poseOf(face: FaceResult): Pose {
  const depth = face.size[0] / MESH_INPUT_PX;
  const between = (from: number, to: number): [number, number, number] => {
    const [a, b] = [face.mesh[from]!, face.mesh[to]!];
    return [b[0] - a[0], b[1] - a[1], ((b[2] ?? 0) - (a[2] ?? 0)) * depth];
  };
  const [across, , acrossDepth] = between(RIGHT_CHEEK, LEFT_CHEEK);
  const [, down, downDepth] = between(FOREHEAD, CHIN);
  const roll = Math.atan2(between(RIGHT_CHEEK, LEFT_CHEEK)[1], across);
  return { yaw: degrees(Math.atan2(acrossDepth, across)), pitch: degrees(Math.atan2(-downDepth, down)), roll: degrees(roll) };
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI;
}

// Indices of the face mesh: corners and the middle of the upper and lower lid of each eye.
const EYES = [
  { corners: [33, 133], lids: [159, 145] },
  { corners: [362, 263], lids: [386, 374] },
] as const;

function eyesOpen(face: FaceResult): number | null {
  const gap = (pair: readonly [number, number]): number => {
    const [a, b] = [face.mesh[pair[0]], face.mesh[pair[1]]];
    return a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : NaN;
  };
  const widest = Math.max(...EYES.map(({ corners, lids }) => gap(lids) / gap(corners)));
  return Number.isFinite(widest) ? widest : null;
}
