// A face that passes every gate, to be made worse by tests.
import type { View } from "../../src/guidance/gates";
import type { Sighting } from "../../src/recording/types";

export const SIGHTING: Sighting = {
  faces: 1,
  score: 1,
  box: { x: 0.4, y: 0.27, width: 0.2, height: 0.45 },
  pose: { yaw: 0, pitch: 0, roll: 0 },
  eyesOpen: 0.3,
};

export const VIEW: View = {
  frame: { width: 1280, height: 720 },
  sighting: SIGHTING,
  light: { face: 130, sides: 1.1, behind: 0.9 },
  relativeSharpness: 1,
  lastSeen: null,
};

export const sighting = (changes: Partial<Sighting>): Sighting => ({ ...SIGHTING, ...changes });

/** The good view with another face. */
export const seeing = (changes: Partial<Sighting>): View => ({ ...VIEW, sighting: sighting(changes) });
