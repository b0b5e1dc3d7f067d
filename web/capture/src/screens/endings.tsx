/**
 * Where the flow ends without a result, or waits for the network.
 */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { callbackUrl } from "../callback";
import { Button } from "../parts/button";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icons";
import { formatDate, nameOf, usePage } from "../page";
import { isUnfinished } from "../wire";

export function LoadingScreen(): JSX.Element {
  const { texts } = usePage();
  return (
    <>
      <Heading title={texts.say("common.loading")} />
      <progress aria-label={texts.say("common.loading")} />
    </>
  );
}

/** The person stopped, reported the request, or took the other way. */
export function CancelledScreen(): JSX.Element {
  const { session, model, texts } = usePage();
  const { capture, left } = model;
  const name = nameOf(model);
  const time = capture ? formatDate(capture.expires_at, texts, true) : "";
  const back = capture?.callback ? callbackUrl(capture.callback, capture.session_id, capture.status) : null;
  return (
    <>
      <div class="panel">
        <Icon name="info" />
        <Heading title={texts.say(`cancelled.title.${left}`)} />
        <p>{texts.say(`cancelled.text.${left}`, { name, time })}</p>
      </div>
      <div class="actions">
        {back && left !== "alternative" ? (
          <Button kind="main" onPress={() => session.host.leaveFor(back)}>
            {texts.say("result.return", { name })}
          </Button>
        ) : null}
        {left === "cancelled" && capture && isUnfinished(capture.status) ? (
          <Button onPress={session.restart}>{texts.say("cancelled.resume")}</Button>
        ) : null}
        <CloseRequest />
      </div>
    </>
  );
}

export function ErrorScreen(): JSX.Element {
  const { session, model, texts, announcer } = usePage();
  const { failure } = model;
  const wait = useWait("seconds" in failure ? failure.seconds : 0);
  const title = texts.say(`error.title.${failure.kind}`);
  const text = texts.say(`error.text.${failure.kind}`, {
    name: nameOf(model),
    seconds: wait,
    minutes: Math.ceil(wait / 60),
  });
  const again = failure.kind === "server" || "seconds" in failure;
  const otherWay = (failure.kind === "locked" || failure.kind === "stopped") && model.capture?.alternative != null;
  useEffect(() => announcer.assertive(`${title}. ${text}`), [title]);
  return (
    <>
      <div class="panel">
        <Icon name="info" />
        <Heading title={title} />
        <p>{text}</p>
      </div>
      <div class="actions">
        {again && wait === 0 ? (
          <Button kind="main" onPress={() => (model.capture ? session.restart() : location.reload())}>
            {texts.say("common.try_again")}
          </Button>
        ) : null}
        {otherWay ? (
          <Button kind="main" onPress={session.takeAlternative}>
            {texts.say("ways.alternative")}
          </Button>
        ) : null}
        <CloseRequest />
      </div>
    </>
  );
}

export function OfflineScreen(): JSX.Element {
  const { session, texts } = usePage();
  return (
    <>
      <div class="panel">
        <Icon name="info" />
        <Heading title={texts.say("offline.title")} />
        <p>{texts.say("offline.text")}</p>
      </div>
      <div class="actions">
        <Button kind="main" onPress={session.wake}>
          {texts.say("common.try_again")}
        </Button>
      </div>
    </>
  );
}

/** In a frame only the page around it can close it. */
function CloseRequest(): JSX.Element | null {
  const { session, texts } = usePage();
  if (window.parent === window) return null;
  return <Button onPress={() => session.host.messages.send("didit:close_request")}>{texts.say("common.close")}</Button>;
}

/** Seconds left to wait. */
function useWait(seconds: number): number {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    if (left <= 0) return undefined;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  return Math.max(0, Math.ceil(left));
}
