/**
 * The picture goes out and is checked: honest progress, and no wait without a way out.
 */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Button } from "../parts/button";
import { Heading } from "../parts/heading";
import { Oval } from "../parts/oval";
import { nameOf, useCapture, useElapsed, useObjectUrl, usePage } from "../page";

const STILL_MS = 4000;
const LATER_MS = 10_000;

function Taken(): JSX.Element {
  const { session, model, texts } = usePage();
  const url = useObjectUrl(model.recording?.preview ?? null);
  const mirrored = session.host.address.camera.facing === "user";
  return (
    <Oval mood="busy" progress={null}>
      {url ? <img class={mirrored ? "mirrored" : ""} src={url} alt={texts.say("retry.picture")} /> : null}
    </Oval>
  );
}

export function UploadingScreen(): JSX.Element {
  const { session, model, texts, announcer } = usePage();
  const percent = Math.round(model.progress * 100);
  const waiting =
    model.upload === "no-connection" ? texts.say("uploading.waiting") : model.upload === "busy" ? texts.say("uploading.busy") : null;
  useEffect(() => {
    if (waiting !== null) announcer.assertive(waiting);
  }, [waiting, announcer]);
  return (
    <div class="stage">
      <Heading title={texts.say("uploading.title")} />
      <p class={waiting === null ? "hint" : "hint trouble"}>{waiting ?? texts.say("uploading.progress", { percent })}</p>
      <Taken />
      <progress max={100} value={percent} aria-label={texts.say("uploading.title")} />
      <div class="actions">
        {waiting === null ? null : (
          <Button kind="main" onPress={session.wake}>
            {texts.say("uploading.again")}
          </Button>
        )}
      </div>
    </div>
  );
}

export function CheckingScreen(): JSX.Element {
  const { session, model, texts, announcer } = usePage();
  const capture = useCapture();
  const still = useElapsed(STILL_MS);
  const later = useElapsed(LATER_MS);
  const text = later
    ? texts.say("checking.later", { name: nameOf(model) })
    : texts.say(still ? "checking.still" : "checking.text");
  useEffect(() => announcer.polite(text), [text, announcer]);
  return (
    <div class="stage">
      <Heading title={texts.say("checking.title")} />
      <p class="hint">{text}</p>
      <Taken />
      <progress aria-label={texts.say("checking.title")} />
      <div class="actions">
        {later && capture.callback !== null ? (
          <Button onPress={session.returnToCallback}>{texts.say("checking.leave")}</Button>
        ) : null}
      </div>
    </div>
  );
}
