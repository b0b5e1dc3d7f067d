/**
 * Why a picture could not be used: the server's codes and the page's own, in the words of the texts.
 */
import type { Texts } from "./i18n";

/** Server codes that mean what a hint of the page already says. */
const SAME: Record<string, string> = {
  blurry: "hold_still",
  face_too_small: "too_far",
  face_too_close: "too_close",
  turn_to_camera: "look_straight",
};

/** The code whose sentences exist; `other` for a code this page does not know. */
export function reasonCode(hints: readonly string[], texts: Texts): string {
  for (const hint of hints) {
    const code = SAME[hint] ?? hint;
    if (texts.find(`reason.${code}`) !== null && texts.find(`fix.${code}`) !== null) return code;
  }
  return "other";
}
