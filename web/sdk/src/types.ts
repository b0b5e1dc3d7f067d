/** What goes into the SDK and what comes out of it. The names are those of the contract's browser SDK (file 80 §3). */

export type Camera = "front" | "back";

/** How a verification is shown, and which camera it begins with. Everything is optional. */
export interface Configuration {
  /** `modal` over the page (default), `inline` in a container of yours, or `redirect`: the whole tab goes there. */
  mode?: "modal" | "inline" | "redirect";
  /** Write what happens to the browser's console. */
  loggingEnabled?: boolean;
  /** Where the modal, or the frame of an inline verification, is put. Default: the document's body. */
  containerElement?: HTMLElement;
  /** Of the modal where the browser has no top layer. Default: the largest there is. */
  zIndex?: number;
  /** Default true. */
  showCloseButton?: boolean;
  /** Ask before an unfinished verification is left. Default true. */
  showExitConfirmation?: boolean;
  /** Close the modal at once when there is a result. Default false: the person reads it and closes. */
  closeModalOnComplete?: boolean;
  /** The same as `mode: "inline"`. */
  embedded?: boolean;
  /** Id of the element that an inline verification fills, when `containerElement` is not given. */
  embeddedContainerId?: string;
  documentCamera?: Camera;
  livenessCamera?: Camera;
  /** Whether the person may change the camera. */
  documentCameraSwitch?: boolean;
  livenessCameraSwitch?: boolean;
}

export interface StartOptions {
  /** The `url` of the session, as `POST /v3/session/` answered it. */
  url: string;
  configuration?: Configuration;
}

/** The public words for how a session stands; everything that is neither approved nor declined is pending. */
export type Status = "Approved" | "Pending" | "Declined";

/** A hint for your interface. What counts is the signed webhook: a browser can be made to say anything. */
export interface SessionSummary {
  sessionId: string;
  status: Status;
}

export interface SdkError {
  type: "invalid_url" | "no_container" | "unsupported_browser";
  message: string;
}

/** How it ended. Delivered exactly once for every start, except for a redirect, which leaves this page. */
export type Result =
  | { type: "completed"; session?: SessionSummary }
  | { type: "cancelled"; session?: SessionSummary }
  | { type: "failed"; error: SdkError };

export type State = "idle" | "loading" | "ready" | "error";

interface EventData {
  "didit:ready": { sessionId: string };
  "didit:started": object;
  "didit:step_started": { step: string; previousStep?: string };
  "didit:step_changed": { step: string; previousStep?: string };
  "didit:step_completed": { step: string; nextStep?: string | null };
  "didit:media_started": { step: string; mediaType?: string; isAuto?: boolean };
  "didit:media_captured": { step: string; mediaType?: string; isAuto?: boolean };
  "didit:document_selected": { documentType: string; country: string };
  "didit:verification_submitted": { step: string };
  "didit:code_sent": { channel: string; codeSize: number };
  "didit:code_verified": { channel: string; codeSize: number };
  "didit:status_updated": { status: string; step?: string };
  "didit:completed": { sessionId?: string; status?: Status };
  "didit:cancelled": { sessionId?: string; status?: Status };
  "didit:error": { error: string };
  "didit:close_request": object;
}

export type EventType = keyof EventData;

/** One message of the page: `switch (event.type)` tells which `data` it carries. */
export type VerificationEvent = { [Type in EventType]: { type: Type; data: EventData[Type]; timestamp?: number } }[EventType];

/** The browser the person sits at, in the shape that `POST /v3/step-up/evaluate/` takes as its `device`. */
export interface Device {
  /** What this browser keeps for your origin; null where it keeps nothing. */
  persistent_id: string | null;
  /** Send it on as it is; docs/devices.md names the fields. */
  report: Readonly<Record<string, unknown>>;
}
