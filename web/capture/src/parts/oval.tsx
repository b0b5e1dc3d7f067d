/**
 * The one oval of the page: the same size and place through framing, challenge and checking, so nothing jumps.
 */
import type { ComponentChildren, JSX } from "preact";

/** The oval's own units; the ring runs just inside its edge. */
const WIDTH = 300;
const HEIGHT = 400;

interface Props {
  /** How the ring looks: waiting, all is well, or a light goes round. */
  mood: "waiting" | "good" | "busy";
  /** 0 to 1, drawn around the oval; null for none. */
  progress: number | null;
  children: ComponentChildren;
}

export function Oval({ mood, progress, children }: Props): JSX.Element {
  const ring = { cx: WIDTH / 2, cy: HEIGHT / 2, rx: WIDTH / 2 - 4, ry: HEIGHT / 2 - 4 };
  return (
    <div class={`oval ${mood}`}>
      <div class="oval-picture">{children}</div>
      <svg class="oval-ring" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" focusable="false">
        <ellipse class="ring" {...ring} />
        {progress === null && mood !== "busy" ? null : (
          <ellipse class="ring-progress" {...ring} pathLength={100} stroke-dasharray={`${(progress ?? 0) * 100} 100`} />
        )}
      </svg>
    </div>
  );
}
