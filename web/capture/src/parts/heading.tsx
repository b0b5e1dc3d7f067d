import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { nameOf, usePage } from "../page";

/** How many screens this page has shown, not counting the wait for the first. */
let shown = 0;

/**
 * The one heading of a screen. It takes the focus when the screen changes, so that keyboards and screen readers start
 * there; not on the first screen, because an embedded page must not take the focus from the page around it.
 */
export function Heading({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  const { model, texts, voice } = usePage();
  const heading = useRef<HTMLHeadingElement>(null);
  const name = nameOf(model);
  useEffect(() => {
    document.title = texts.say("common.page_title", { screen: title, name }).replace(/[\u2068\u2069]/g, "");
    voice.say(title, texts);
    if (model.screen === "loading") return;
    if (shown > 0) {
      heading.current?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    shown += 1;
  }, [model.screen, title, name, texts, voice]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}
