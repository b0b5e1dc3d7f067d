import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";

interface Props {
  /** What the button is to the screen: the way on, another way, or a quiet exit. */
  kind?: "main" | "other" | "quiet" | "danger";
  icon?: IconName;
  onPress: () => unknown;
  children: ComponentChildren;
}

/** A button that cannot be pressed twice while what it started is under way. */
export function Button({ kind = "other", icon, onPress, children }: Props): JSX.Element {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await onPress();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class={`button ${kind}`} aria-busy={busy} onClick={() => void press()}>
      {icon ? <Icon name={icon} /> : null}
      <span>{children}</span>
    </button>
  );
}
