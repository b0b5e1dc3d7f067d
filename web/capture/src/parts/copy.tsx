import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { usePage } from "../page";
import type { Key } from "../i18n";
import { Button } from "./button";

/** Copies a link; where the browser does not allow it the link itself is there to be selected. */
export function CopyLink({ url, label }: { url: string; label: string }): JSX.Element {
  return <Copy text={url} label={label} before="common.copy_link" after="common.copied" />;
}

/** Copies the code that the person enters elsewhere. */
export function CopyCode({ code, label }: { code: string; label: string }): JSX.Element {
  return <Copy text={code} label={label} before="result.copy_code" after="result.code_copied" />;
}

function Copy({ text, label, before, after }: { text: string; label: string; before: Key; after: Key }): JSX.Element {
  const { texts, announcer } = usePage();
  const [state, setState] = useState<"idle" | "copied" | "refused">("idle");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState("copied");
      announcer.polite(texts.say(after));
    } catch {
      setState("refused");
    }
  };
  return (
    <div class="copy">
      <Button onPress={copy}>{texts.say(state === "copied" ? after : before)}</Button>
      {state === "refused" ? (
        <input readOnly value={text} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
      ) : null}
    </div>
  );
}
