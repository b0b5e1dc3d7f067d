import type { JSX } from "preact";

/** Marks on a 300 x 400 picture: what was wrong, drawn. The sentence beside it says the same. */
const MARKS: Record<string, string> = {
  too_far: "M90 110 55 75m0 25V75h25M210 110l35-35m0 25V75h-25M90 290l-35 35m0-25v25h25M210 290l35 35m0-25v25h-25",
  too_close: "M45 65l40 40m0-27v27H58M255 65l-40 40m0-27v27h27M45 335l40-40m0 27v-27H58M255 335l-40-40m0 27v-27h27",
  too_dark: "M150 18v16m0 62v16M103 65H87m126 0h-16M117 32l-11-11m77 11 11-11M117 98l-11 11m77-11 11 11M172 65a22 22 0 1 1-44 0 22 22 0 0 1 44 0Z",
  look_straight: "M150 70v260M70 200h160",
  hold_still: "M20 150c14 33 14 67 0 100M280 150c-14 33-14 67 0 100M42 165c9 23 9 47 0 70M258 165c-9 23-9 47 0 70",
  face_covered: "M80 170h140M80 260h140",
};
const SAME_MARK: Record<string, string> = {
  too_bright: "too_dark",
  less_light: "too_dark",
  eyes_closed: "face_covered",
  no_face: "look_straight",
  several_faces: "look_straight",
};

interface Props {
  url: string;
  code: string;
  label: string;
  mirrored: boolean;
}

/** The picture that was taken, as the person saw themselves, with the oval and the reason drawn in. */
export function ProblemPicture({ url, code, label, mirrored }: Props): JSX.Element {
  const mark = MARKS[code] ?? MARKS[SAME_MARK[code] ?? ""];
  return (
    <div class="problem">
      <img class={mirrored ? "mirrored" : ""} src={url} alt={label} />
      <svg viewBox="0 0 300 400" aria-hidden="true" focusable="false">
        <ellipse cx="150" cy="200" rx="112" ry="150" />
        {mark ? <path d={mark} /> : null}
      </svg>
    </div>
  );
}
