/**
 * From this device to another: the code, the number on both screens, and waiting without hanging.
 */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Button } from "../parts/button";
import { CopyLink } from "../parts/copy";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icons";
import { QrCode } from "../parts/qr";
import { useCapture, usePage } from "../page";
import { purposeText } from "../purpose";

/** A new code this long before the old one runs out. */
const RENEW_BEFORE_MS = 10_000;

/** First device: scan, or continue here. */
export function HandoffScreen(): JSX.Element {
  const { session, model, texts } = usePage();
  const { offer } = model;
  useEffect(() => {
    if (offer === null) return undefined;
    const left = new Date(offer.expires_at).getTime() - Date.now() - RENEW_BEFORE_MS;
    // A clock that is far off must not renew without end.
    const timer = setTimeout(() => void session.offerHandoff(), Math.max(60_000, left));
    return () => clearTimeout(timer);
  }, [offer, session]);
  return (
    <>
      <Heading title={texts.say("handoff.title")} />
      <div class="panel handoff">
        {offer ? <QrCode text={offer.url} label={texts.say("handoff.qr")} /> : null}
        <p>{texts.say("handoff.text")}</p>
        <p class="note">{texts.say("handoff.origin", { origin: offer ? new URL(offer.url).host : location.host })}</p>
        <p class="note">{texts.say("handoff.expires")}</p>
      </div>
      <div class="actions">
        {offer ? <CopyLink url={offer.url} label={texts.say("handoff.link")} /> : null}
        <Button kind="main" onPress={session.endHandoff}>
          {texts.say("handoff.here")}
        </Button>
      </div>
    </>
  );
}

/** First device: the number that the second must show. */
export function HandoffWaitingScreen(): JSX.Element {
  const { session, texts } = usePage();
  const { handoff } = useCapture();
  return (
    <>
      <Heading title={texts.say("handoff_waiting.title")} />
      <div class="panel">
        <p class="number">{handoff?.number}</p>
        <p>{texts.say("handoff_waiting.text")}</p>
        <p class="note">{texts.say("handoff_waiting.wrong")}</p>
      </div>
      <div class="actions">
        <Button onPress={session.endHandoff}>{texts.say("handoff_waiting.stop")}</Button>
      </div>
    </>
  );
}

/** Second device: is it the same number? It guards against a code that somebody else made the person scan. */
export function HandoffNumberScreen(): JSX.Element {
  const { session, texts } = usePage();
  const { handoff, purpose } = useCapture();
  const { title, detail } = purposeText(purpose, texts);
  return (
    <>
      <Heading title={texts.say("handoff_number.title")} />
      <div class="panel">
        <p class="number">{handoff?.number}</p>
        <p>{texts.say("handoff_number.text")}</p>
        <p class="receipt">{detail === null ? title : `${title} – ${detail}`}</p>
        <p class="warning">
          <Icon name="warning" />
          <strong>{texts.say("handoff_number.warning")}</strong>
        </p>
      </div>
      <div class="actions">
        <Button kind="main" onPress={session.confirmHandoff}>
          {texts.say("handoff_number.yes")}
        </Button>
        <Button kind="danger" onPress={session.endHandoff}>
          {texts.say("handoff_number.no")}
        </Button>
      </div>
    </>
  );
}

/** The device whose turn it is not. */
export function ElsewhereScreen(): JSX.Element {
  const { session, texts } = usePage();
  const role = useCapture().handoff?.device ?? "first";
  return (
    <>
      <div class="panel elsewhere">
        <Icon name="phone" />
        <Heading title={texts.say(`elsewhere.title.${role}`)} />
        <p>{texts.say(`elsewhere.text.${role}`)}</p>
      </div>
      {role === "first" ? (
        <div class="actions">
          <progress aria-label={texts.say("elsewhere.title.first")} />
          <Button onPress={session.endHandoff}>{texts.say("elsewhere.here")}</Button>
        </div>
      ) : null}
    </>
  );
}
