import type { JSX } from "preact";
import type { Turn } from "../recording/types";

const OPPOSITE = { left: "right", right: "left", up: "up", down: "down" } as const;

/**
 * Where to turn, as an arrow at the edge of the oval. In the mirrored preview the person's left is the screen's left;
 * with a rear camera it is not. Never mirrored for right-to-left languages: it shows space, not text.
 */
export function ChallengeArrow({ direction, mirrored }: { direction: Turn["direction"]; mirrored: boolean }): JSX.Element {
  return (
    <svg class={`arrow ${mirrored ? direction : OPPOSITE[direction]}`} viewBox="0 0 64 64" aria-hidden="true">
      <circle cx="32" cy="32" r="30" />
      <path d="M16 32h30M34 19l13 13-13 13" />
    </svg>
  );
}
