/**
 * The one oval of the page: the same size and place through framing, challenge and checking, so nothing jumps.
 */
import type { ComponentChildren, JSX } from "preact";

/** On a plane of 300 x 400, clockwise from the top: progress begins where a clock does. */
const RING = "M150 4A146 196 0 0 1 150 396A146 196 0 0 1 150 4Z";

interface Props {
  /** How the ring looks: waiting, all is well, or a light goes round. */
  mood: "waiting" | "good" | "busy";
  /** 0 to 1, drawn around the oval; null for none. */
  progress: number | null;
  /** What lies over the edge of the oval. */
  over?: ComponentChildren;
  children: ComponentChildren;
}

export function Oval({ mood, progress, over, children }: Props): JSX.Element {
  return (
    <div class={`oval ${mood}`}>
      <div class="oval-picture">{children}</div>
      <svg class="oval-ring" viewBox="0 0 300 400" aria-hidden="true" focusable="false">
        <path class="ring" d={RING} />
        {mood === "busy" ? <path class="ring-progress" d={RING} pathLength={100} /> : null}
        {progress ? (
          <path class="ring-progress" d={RING} pathLength={100} stroke-dasharray={`${progress * 100} 100`} />
        ) : null}
      </svg>
      {over}
    </div>
  );
}
