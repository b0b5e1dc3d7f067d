/** Why there is no camera, in the few ways that a person can do something about. */

import type { CameraProblem } from "../recording/types";

export class CameraError extends Error {
  override readonly name = "CameraError";

  constructor(
    readonly problem: CameraProblem,
    cause?: unknown,
  ) {
    super(`No camera: ${problem}.`, { cause });
  }
}

// Apps that open links in a view of their own; many never ask for the camera. Names as their user agents have them.
const IN_APP =
  /FBAN|FBAV|FB_IAB|Instagram|Line\/|MicroMessenger|Snapchat|musical_ly|BytedanceWebview|TikTok|Twitter|Pinterest|LinkedInApp|WhatsApp|; wv\)/i;
const APPLE_PHONE = /iPhone|iPad|iPod/;

/** Whether the page shows inside an app instead of a browser. */
export function isWebView(userAgent: string, reactNative = "ReactNativeWebView" in globalThis): boolean {
  if (reactNative || IN_APP.test(userAgent)) return true;
  // Every browser of an iPhone calls itself Safari as well; a bare web view does not.
  return APPLE_PHONE.test(userAgent) && /AppleWebKit/.test(userAgent) && !/Safari\//.test(userAgent);
}

/** What can be said before asking; null: ask. */
export function problemBefore(context: { secure: boolean; canAsk: boolean; webView: boolean }): CameraProblem | null {
  if (!context.secure) return "insecure";
  if (!context.canAsk) return context.webView ? "webview" : "unknown";
  return null;
}

/** What a refusal of getUserMedia means, by the name of its exception. */
export function problemOf(error: unknown, webView: boolean): CameraProblem {
  switch (error instanceof Error || error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "PermissionDeniedError":
    case "SecurityError":
      // An app that has no right to the camera refuses for the person, who was never asked.
      return webView ? "webview" : "denied";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "TrackStartError":
    case "AbortError":
      return "busy";
    case "TypeError":
      return "insecure";
    default:
      return webView ? "webview" : "unknown";
  }
}
