import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { browserOf } from "../browsers";
import { Button } from "../parts/button";
import { CopyLink } from "../parts/copy";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icons";
import { mayHandOver, nameOf, usePage } from "../page";

/** The camera cannot be used: why, how to mend it in this browser, and the ways that need no camera here. */
export function CameraProblemScreen(): JSX.Element {
  const { session, model, texts, announcer, show } = usePage();
  const problem = model.cameraProblem;
  const framed = window.parent !== window;
  const title = texts.say(`camera.title.${problem}`);
  const text =
    problem === "denied"
      ? texts.say(`camera.denied.${browserOf(navigator.userAgent, navigator.maxTouchPoints)}`)
      : texts.say(`camera.${problem}`, { name: nameOf(model) });
  const mayHelp = problem !== "insecure" && problem !== "webview";
  useEffect(() => announcer.assertive(`${title}. ${text}`), [title, text, announcer]);
  return (
    <>
      <div class="panel trouble-panel">
        <Icon name="camera_off" />
        <Heading title={title} />
        <p>{text}</p>
        {framed && problem === "denied" ? <p>{texts.say("camera.denied.frame")}</p> : null}
      </div>
      <div class="actions">
        {mayHelp ? (
          <Button kind="main" onPress={session.openCamera}>
            {texts.say("common.try_again")}
          </Button>
        ) : null}
        {framed && problem === "denied" ? (
          <Button onPress={() => void window.open(location.href, "_blank", "noopener")}>
            {texts.say("camera.open_window")}
          </Button>
        ) : null}
        {problem === "webview" ? <CopyLink url={location.href} label={texts.say("common.copy_link")} /> : null}
        {!mayHandOver(model) ? null : (
          <Button icon="phone" kind={mayHelp ? "other" : "main"} onPress={session.offerHandoff}>
            {texts.say("handoff.offer")}
          </Button>
        )}
        <Button kind="quiet" onPress={() => show("ways")}>
          {texts.say("common.another_way")}
        </Button>
      </div>
    </>
  );
}
