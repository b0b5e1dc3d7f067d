import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { usePage } from "../page";
import { Button } from "./button";

/** Copies a link; where the browser does not allow it the link itself is there to be selected. */
export function CopyLink({ url, label }: { url: string; label: string }): JSX.Element {
  const { texts, announcer } = usePage();
  const [state, setState] = useState<"idle" | "copied" | "refused">("idle");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(url);
      setState("copied");
      announcer.polite(texts.say("common.copied"));
    } catch {
      setState("refused");
    }
  };
  return (
    <div class="copy">
      <Button onPress={copy}>{texts.say(state === "copied" ? "common.copied" : "common.copy_link")}</Button>
      {state === "refused" ? (
        <input readOnly value={url} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
      ) : null}
    </div>
  );
}
