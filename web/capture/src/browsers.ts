/**
 * Which browser this is, only to say where its camera permission is found.
 */
export type Browser = "chrome" | "safari" | "ios" | "firefox" | "other";

/** Tell the browser from its user agent. Wrong guesses cost nothing: `other` is always true. */
export function browserOf(userAgent: string, touchPoints: number): Browser {
  const apple = /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1);
  if (apple) return "ios";
  if (/Firefox\//.test(userAgent)) return "firefox";
  if (/Chrome\/|Chromium\/|CriOS\//.test(userAgent)) return "chrome";
  if (/Safari\//.test(userAgent)) return "safari";
  return "other";
}
