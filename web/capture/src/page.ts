/**
 * What every screen has at hand.
 */
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Announcer, Voice } from "./announcer";
import type { Texts } from "./i18n";
import type { Model } from "./model";
import type { Session } from "./session";
import type { CaptureState, CaptureStep } from "./wire";

export type Dialog = "ways" | "not-me" | "stop";

export interface Page {
  session: Session;
  model: Model;
  texts: Texts;
  announcer: Announcer;
  voice: Voice;
  /** Open a dialog, or close it with null. */
  show(dialog: Dialog | null): void;
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error("A screen is drawn outside of the page.");
  return page;
}

/** The session's state, for screens that are only shown once it is known. */
export function useCapture(): CaptureState {
  const { capture } = usePage().model;
  if (capture === null) throw new Error("This screen needs the session's state.");
  return capture;
}

/** The step to do, for screens that are only shown when there is one. */
export function useStep(): CaptureStep {
  const { step } = useCapture();
  if (step === null) throw new Error("This screen needs a step.");
  return step;
}

/** The name of the operator, for sentences. */
export function nameOf(model: Model): string {
  return model.capture?.brand.name ?? location.hostname;
}

/** Whether this page may offer to go on with a phone. */
export function mayHandOver(model: Model): boolean {
  return !model.handoffRefused && model.capture?.handoff?.device !== "second";
}

/** True once so many milliseconds have gone by since the screen appeared. */
export function useElapsed(ms: number): boolean {
  const [elapsed, setElapsed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setElapsed(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return elapsed;
}

/** An address for a picture in memory, given back when the screen goes. */
export function useObjectUrl(blob: Blob | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (blob === null) return undefined;
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return blob === null ? null : url;
}

/** A date as the language writes it; with the time of day where it is today's business. */
export function formatDate(iso: string, texts: Texts, withTime: boolean): string {
  const style: Intl.DateTimeFormatOptions = withTime ? { dateStyle: "medium", timeStyle: "short" } : { dateStyle: "long" };
  return new Intl.DateTimeFormat(texts.language, style).format(new Date(iso));
}
