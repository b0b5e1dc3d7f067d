/**
 * The three questions the page asks before something that is not simply the next step.
 */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { methodOf } from "../model";
import { formatDate, mayHandOver, nameOf, usePage, type Dialog } from "../page";
import type { Method } from "../recording/types";
import { Button } from "./button";
import type { IconName } from "./icons";

export function Dialogs({ open }: { open: Dialog | null }): JSX.Element | null {
  switch (open) {
    case "ways":
      return <Ways />;
    case "not-me":
      return <NotMe />;
    case "stop":
      return <Stop />;
    case null:
      return null;
  }
}

/** A modal dialog: the browser's own, which keeps the focus inside and gives it back. */
function Modal({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  const { show } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={() => show(null)}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

function NotMe(): JSX.Element {
  const { session, model, texts, show } = usePage();
  const report = async () => {
    await session.reportNotMe();
    show(null);
  };
  return (
    <Modal title={texts.say("not_me.title")}>
      <p>{texts.say("not_me.text", { name: nameOf(model) })}</p>
      <div class="actions">
        <Button kind="danger" onPress={report}>
          {texts.say("not_me.confirm")}
        </Button>
        <Button onPress={() => show(null)}>{texts.say("not_me.back")}</Button>
      </div>
    </Modal>
  );
}

function Stop(): JSX.Element {
  const { session, model, texts, show } = usePage();
  const time = model.capture ? formatDate(model.capture.expires_at, texts, true) : "";
  const stop = async () => {
    await session.stop();
    show(null);
  };
  return (
    <Modal title={texts.say("stop.title")}>
      <p>{texts.say("stop.text", { time })}</p>
      <div class="actions">
        <Button kind="main" onPress={() => show(null)}>
          {texts.say("stop.back")}
        </Button>
        <Button onPress={stop}>{texts.say("stop.confirm")}</Button>
      </div>
    </Modal>
  );
}

interface Way {
  key: string;
  icon: IconName;
  title: string;
  text: string;
  go(): unknown;
}

const METHOD_ICONS: Record<Method, IconName> = { PASSIVE: "camera", ACTIVE_3D: "turn", FLASHING: "screen" };

function Ways(): JSX.Element {
  const { model, texts, show } = usePage();
  const ways = useWays();
  const choose = (way: Way) => {
    show(null);
    return way.go();
  };
  return (
    <Modal title={texts.say("ways.title")}>
      {ways.length === 0 ? <p>{texts.say("ways.none", { name: nameOf(model) })}</p> : null}
      <ul class="ways">
        {ways.map((way) => (
          <li key={way.key}>
            <Button icon={way.icon} onPress={() => choose(way)}>
              <strong>{way.title}</strong>
              <small>{way.text}</small>
            </Button>
          </li>
        ))}
      </ul>
      <div class="actions">
        <Button kind="quiet" onPress={() => show(null)}>
          {texts.say("common.back")}
        </Button>
      </div>
    </Modal>
  );
}

function useWays(): Way[] {
  const { session, model, texts } = usePage();
  const { capture } = model;
  if (capture === null) return [];
  const ways: Way[] = [];
  const { step, alternative } = capture;
  const present = step ? methodOf(step, model.chosen) : null;
  for (const method of step?.methods ?? []) {
    if (method === present) continue;
    const title = texts.say(`ways.method.${method}`);
    const text = texts.say(`ways.method.${method}.text`);
    const go = () => session.dispatch({ type: "method", method });
    ways.push({ key: method, icon: METHOD_ICONS[method], title, text, go });
  }
  if (mayHandOver(model)) {
    const words = { title: texts.say("ways.phone"), text: texts.say("ways.phone.text") };
    ways.push({ key: "phone", icon: "phone", ...words, go: session.offerHandoff });
  }
  if (alternative !== null) {
    const text = texts.say("ways.alternative.text", { name: capture.brand.name });
    const title = texts.say("ways.alternative");
    ways.push({ key: "alternative", icon: "shield", title, text, go: session.takeAlternative });
  }
  return ways;
}
