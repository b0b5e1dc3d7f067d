/**
 * What the capture API says, as src/ipse/capture/schemas.py defines it. Names are the wire's.
 */
import type { Method } from "./recording/types";

export type SessionStatus =
  | "Not Started"
  | "In Progress"
  | "Approved"
  | "Declined"
  | "In Review"
  | "Expired"
  | "Abandoned"
  | "Kyc Expired"
  | "Resubmitted"
  | "Awaiting User";

export interface CaptureStep {
  node_id: string;
  feature: string;
  label: string | null;
  method: Method | null;
  methods: Method[];
  suggested_method: Method | null;
  needs: "selfie_frames"[];
  frames_min: number;
  frames_max: number;
  /** From 1. */
  attempt: number;
  attempts_left: number;
}

export interface Purpose {
  code: string | null;
  text: string | null;
  amount: string | null;
  currency: string | null;
  payee: string | null;
  account: string | null;
  /** Of an action only. */
  reference?: string | null;
  details?: { label: string; value: string }[] | null;
}

export interface HandoffView {
  state: "offered" | "opened" | "active" | "ended";
  device: "first" | "second";
  number: string;
  may_capture: boolean;
  expires_at: string;
}

export interface Brand {
  name: string;
  logo: string | null;
  wide_logo: string | null;
  favicon: string | null;
  colors: Record<string, string>;
  font_family: string | null;
  font_weight: string | null;
  border_radius_panel: number | null;
  border_radius_buttons: number | null;
  privacy_policy_url: string | null;
  skip_welcome_screen: boolean;
  hide_progress_bar: boolean;
  callback_seconds: number;
  texts: Record<string, Record<string, string>>;
}

export type CallbackMethod = "initiator" | "completer" | "both";

export interface CaptureState {
  session_id: string;
  status: SessionStatus;
  environment: "live" | "sandbox";
  brand: Brand;
  purpose: Purpose | null;
  /** Of the action that `purpose` shows; every challenge and submission names the one the person saw. */
  action_hash?: string | null;
  language: string | null;
  callback: string | null;
  callback_method: CallbackMethod;
  expires_at: string;
  kept_until: string | null;
  alternative: { url: string } | null;
  handoff: HandoffView | null;
  step: CaptureStep | null;
  outcome: "none" | "accepted" | "retry" | "finished";
  hints: string[];
  /** What the person enters where they came from, in place of a code by SMS. */
  code?: string | null;
}

export interface HandoffOffer {
  url: string;
  number: string;
  expires_at: string;
}

export interface HandoffOpened {
  session_token: string;
  number: string;
}

export interface SharedSession {
  session_token: string;
  url: string;
}

export type CancelReason = "cancelled" | "not_me" | "alternative";

const UNFINISHED: readonly SessionStatus[] = ["Not Started", "In Progress", "Awaiting User", "Resubmitted"];

/** Whether the person may still have something to do. */
export function isUnfinished(status: SessionStatus): boolean {
  return UNFINISHED.includes(status);
}
