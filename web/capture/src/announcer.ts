/**
 * What screen readers are told, and spoken aloud for those who want it. Never more often than somebody can follow.
 */
import type { Texts } from "./i18n";

/** Hints to a screen reader at most so often (UX.md 1.3): constant alerts interrupt people who are still moving. */
export const POLITE_EVERY_MS = 2000;

export interface Spoken {
  polite: string;
  assertive: string;
}

export interface Clock {
  now(): number;
  after(ms: number, then: () => void): () => void;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};

/** Collects announcements; of several polite ones within two seconds only the last is heard. */
export class Announcer {
  #last = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => undefined;
  #spoken: Spoken = { polite: "", assertive: "" };

  constructor(
    private readonly tell: (spoken: Spoken) => void,
    private readonly clock: Clock = CLOCK,
  ) {}

  /** Say it when the reader is free. */
  polite(text: string): void {
    this.#cancel();
    const due = this.#last + POLITE_EVERY_MS - this.clock.now();
    if (due <= 0) return this.#say({ polite: text });
    this.#cancel = this.clock.after(due, () => this.#say({ polite: text }));
  }

  /** Say it now: a permission, a countdown, a result. */
  assertive(text: string): void {
    this.#cancel();
    this.#say({ assertive: text });
  }

  #say(part: Partial<Spoken>): void {
    this.#last = this.clock.now();
    this.#spoken = { polite: "", assertive: "", ...part };
    this.tell(this.#spoken);
  }
}

/** Instructions read aloud by the device itself. Off until the person turns it on. */
export class Voice {
  on = false;

  /** Whether this browser can speak at all. */
  static get available(): boolean {
    return "speechSynthesis" in globalThis && "SpeechSynthesisUtterance" in globalThis;
  }

  toggle(): void {
    this.on = !this.on;
    if (!this.on) speechSynthesis.cancel();
  }

  say(text: string, texts: Texts): void {
    if (!this.on || !text) return;
    speechSynthesis.cancel();
    const utterance = new SpeechSynthesisUtterance(text.replace(/[\u2068\u2069]/g, ""));
    utterance.lang = texts.language;
    speechSynthesis.speak(utterance);
  }
}

/** A short tremble of a phone; does nothing elsewhere. */
export function vibrate(pattern: number | number[]): void {
  try {
    navigator.vibrate?.(pattern);
  } catch {
    // Some embedded pages may not.
  }
}
