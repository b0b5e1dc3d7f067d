import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Button } from "../parts/button";
import { Heading } from "../parts/heading";
import { ProblemPicture } from "../parts/problem_picture";
import { methodOf } from "../model";
import { mayHandOver, useObjectUrl, usePage, useStep } from "../page";
import { reasonCode } from "../reasons";

/** The one most important reason, what to do about it, and something that changes with every try. */
export function RetryScreen(): JSX.Element {
  const { session, model, texts, announcer, show } = usePage();
  const step = useStep();
  const picture = useObjectUrl(model.recording?.preview ?? null);
  const code = reasonCode(model.reasons, texts);
  const reason = texts.find(`reason.${code}`) ?? "";
  const fix = texts.find(`fix.${code}`) ?? "";
  const suggested = step.suggested_method;
  const other = suggested !== null && suggested !== methodOf(step, model.chosen) ? suggested : null;
  const onPhone = step.attempt >= 3 && step.suggested_method === null && mayHandOver(model);
  useEffect(() => announcer.assertive(`${reason} ${fix}`), [reason, fix, announcer]);
  const again = (
    <Button kind={other === null ? "main" : "other"} onPress={session.openCamera}>
      {texts.say("retry.again")}
    </Button>
  );
  return (
    <>
      <Heading title={texts.say("retry.title")} />
      <div class="panel retry">
        {picture ? (
          <ProblemPicture
            url={picture}
            code={code}
            label={texts.say("retry.picture")}
            mirrored={session.host.address.camera.facing === "user"}
          />
        ) : null}
        <p class="reason">{reason}</p>
        <p class="fix">{fix}</p>
      </div>
      <p class="note">
        {model.counted
          ? texts.say("retry.attempts_left", { count: step.attempts_left })
          : texts.say("retry.not_counted")}
      </p>
      <div class="actions">
        {other === null ? null : (
          <>
            <p class="note">{texts.say("retry.suggestion")}</p>
            <Button kind="main" onPress={() => session.dispatch({ type: "method", method: other })}>
              {texts.say(`ways.method.${other}`)}
            </Button>
          </>
        )}
        {again}
        {onPhone ? (
          <>
            <p class="note">{texts.say("retry.phone")}</p>
            <Button icon="phone" onPress={session.offerHandoff}>
              {texts.say("handoff.offer")}
            </Button>
          </>
        ) : null}
        <Button kind="quiet" onPress={() => show("ways")}>
          {texts.say("common.another_way")}
        </Button>
      </div>
    </>
  );
}
