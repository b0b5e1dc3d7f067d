/** Where a verification is shown: a frame, alone in a container or in a window over the page. */
import { dress } from "./styles";
import type { Texts } from "./texts";

/** Raised as a `failed` result. */
export class NoSurface extends Error {
  constructor(
    readonly type: "no_container" | "unsupported_browser",
    message: string,
  ) {
    super(message);
  }
}

/** Something that shows the frame until it is removed. */
export interface Surface {
  readonly frame: HTMLIFrameElement;
  /** Ask the person whether to leave; false means: go on. */
  confirmed(): Promise<boolean>;
  remove(): void;
}

export interface ModalOptions {
  container: HTMLElement;
  zIndex: number;
  closeButton: boolean;
  /** The person pressed the close button or Escape. */
  onClose(): void;
  /** The browser closed the window by itself. */
  onGone(): void;
}

/** What the frame may use: the contract's list. */
const ALLOW = "camera; microphone; fullscreen; autoplay; encrypted-media; geolocation";

function frameOf(address: URL, texts: Texts): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.allow = ALLOW;
  frame.title = texts.name;
  frame.src = address.href;
  return frame;
}

/** The frame fills `container`. */
export function showInline(address: URL, texts: Texts, container: HTMLElement | null): Surface {
  if (!container) throw new NoSurface("no_container", "The element for the inline verification does not exist.");
  const frame = frameOf(address, texts);
  const over = new AbortController();
  Object.assign(frame.style, { display: "block", width: "100%", height: "100%", minHeight: "600px", border: "0" });
  container.append(frame);
  return {
    frame,
    confirmed: () => ask(texts, document.body, over.signal),
    remove() {
      over.abort();
      frame.remove();
    },
  };
}

/**
 * The frame in a modal `<dialog>`: the browser keeps the focus inside and the rest of the page inert. Scrolling is held
 * and the focus goes back to where it was.
 */
export function showModal(address: URL, texts: Texts, options: ModalOptions): Surface {
  const { host, root, dialog } = windowOf(texts, "window");
  host.style.zIndex = String(options.zIndex);
  dialog.setAttribute("aria-label", texts.name);
  const frame = frameOf(address, texts);
  // A bar of its own: over the frame it would cover what the page shows in that corner.
  if (options.closeButton) dialog.append(button("×", "close", options.onClose, texts.close));
  dialog.append(frame);
  onEscape(dialog, options.onClose);
  dialog.addEventListener("close", options.onGone);

  const before = document.activeElement;
  const over = new AbortController();
  const { style } = document.documentElement;
  const scrolling = style.overflow;
  options.container.append(host);
  try {
    dialog.showModal();
  } catch {
    host.remove();
    throw new NoSurface("unsupported_browser", "This browser cannot show a window over the page. Use mode: redirect.");
  }
  style.overflow = "hidden";
  frame.focus();
  return {
    frame,
    confirmed: () => ask(texts, root, over.signal),
    remove() {
      over.abort();
      dialog.removeEventListener("close", options.onGone);
      dialog.close();
      host.remove();
      style.overflow = scrolling;
      if (before instanceof HTMLElement) before.focus();
    },
  };
}

/** Ask in a window of its own. Escape means: go on; so does `over`, when there is nothing left to leave. */
function ask(texts: Texts, around: ParentNode, over: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const { host, dialog } = windowOf(texts, "question");
    dialog.setAttribute("role", "alertdialog");
    dialog.setAttribute("aria-labelledby", "question");
    dialog.setAttribute("aria-describedby", "explanation");
    const title = textOf("h2", "question", texts.question);
    const explanation = textOf("p", "explanation", texts.explanation);
    const choices = document.createElement("div");
    choices.className = "choices";
    const answer = (leaves: boolean) => () => {
      resolve(leaves); // before `close`, which is an answer as well
      if (dialog.open) dialog.close();
      host.remove();
    };
    const stay = button(texts.stay, "stay", answer(false));
    choices.append(stay, button(texts.leave, "leave", answer(true)));
    dialog.append(title, explanation, choices);
    dialog.addEventListener("close", answer(false));
    onEscape(dialog, answer(false));
    over.addEventListener("abort", answer(false));
    around.append(host);
    dialog.showModal();
    stay.focus();
  });
}

function windowOf(texts: Texts, kind: string): { host: HTMLElement; root: ShadowRoot; dialog: HTMLDialogElement } {
  const host = document.createElement("div");
  host.lang = texts.language;
  host.dir = texts.language === "ar" ? "rtl" : "ltr";
  const root = host.attachShadow({ mode: "open" });
  dress(root);
  const dialog = document.createElement("dialog");
  dialog.className = kind;
  root.append(dialog);
  return { host, root, dialog };
}

/** Chromium closes a dialog for good on a second Escape, whatever `cancel` says; a prevented key does not reach it. */
function onEscape(dialog: HTMLDialogElement, act: () => void): void {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    act();
  });
}

function button(text: string, kind: string, onPress: () => void, label?: string): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", onPress);
  return made;
}

function textOf(tag: "h2" | "p", id: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.id = id;
  made.textContent = text;
  return made;
}
