import type { Phase } from "./recording/types";

export type PhaseName = "hold" | "turn-left" | "turn-right" | "turn-up" | "turn-down" | "colours";

/** The name of a phase, as the texts and `data-phase` have it. */
export function phaseName(phase: Phase): PhaseName {
  return phase.kind === "turn" ? `turn-${phase.direction}` : phase.kind;
}
