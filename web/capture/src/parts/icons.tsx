/**
 * The page's own icons: 24 units square, drawn with the text's colour. They never carry meaning alone.
 */
import type { JSX } from "preact";

const PATHS = {
  light: "M12 3v2m0 14v2m9-9h-2M5 12H3m15.4-6.4-1.4 1.4M7 17l-1.4 1.4m12.8 0L17 17M7 7 5.6 5.6M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z",
  glasses: "M3 10h3m12 0h3M10 12a2 2 0 0 1 4 0M6 9h4v5a2 2 0 0 1-4 0Zm8 0h4v5a2 2 0 0 1-4 0Z",
  face: "M12 3c4 0 6.5 3.2 6.5 8S15.8 21 12 21s-6.5-5.2-6.5-10S8 3 12 3ZM9 11h.01M15 11h.01M9.5 15.500c1.5 1 3.5 1 5 0",
  turn: "M4 12h16m-4-4 4 4-4 4M8 8l-4 4 4 4",
  screen: "M4 5h16v11H4ZM9 20h6m-3-4v4",
  warning: "M12 4 2.5 20h19ZM12 10v4m0 3v.01",
  check: "M4 12.5 9.5 18 20 6.5",
  clock: "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0ZM12 7v5l3.5 2",
  cross: "M6 6l12 12M18 6 6 18",
  phone: "M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1Zm3 15h2",
  camera: "M4 8h4l1.5-2h5L16 8h4v11H4ZM15.5 13a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0Z",
  camera_off: "M4 8h4l1.5-2h5L16 8h4v11H4ZM3 3l18 18",
  voice: "M4 10v4h3l5 4V6L7 10Zm12-1.500a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12",
  shield: "M12 3 5 6v5c0 5 3 8.5 7 10 4-1.5 7-5 7-10V6Z",
  info: "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0ZM12 11v5m0-8.500v.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
