import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../parts/button";
import { Heading } from "../parts/heading";
import { CopyCode } from "../parts/copy";
import { Icon, type IconName } from "../parts/icons";
import { returnsHere } from "../callback";
import { publicStatus } from "../messages";
import { nameOf, useCapture, usePage } from "../page";
import { purposeText } from "../purpose";
import type { Key } from "../i18n";
import type { CaptureState } from "../wire";

const WORDS = { Approved: "approved", Pending: "pending", Declined: "declined" } as const;
const ICONS: Record<keyof typeof WORDS, IconName> = { Approved: "check", Pending: "clock", Declined: "info" };

/** What came of it, in plain words and without a score, and the way back. */
export function ResultScreen(): JSX.Element {
  const { session, model, texts, announcer } = usePage();
  const capture = useCapture();
  const status = publicStatus(capture.status);
  const result = WORDS[status];
  const name = nameOf(model);
  const title = texts.say(`result.title.${result}`);
  const text = texts.say(`result.text.${result}`, { name });
  const returns = returnsHere(capture);
  const code = capture.code ?? null;
  const farewell = texts.say(farewellKey(capture.handoff));
  const countdown = useCountdown(returns && code === null ? capture.brand.callback_seconds : null, session.returnToCallback);
  useEffect(() => {
    const way = returns && code === null ? texts.say("result.countdown", { seconds: capture.brand.callback_seconds }) : "";
    announcer.assertive(`${title}. ${text} ${way}`);
  }, [title, text]);
  const { title: purpose, detail } = purposeText(capture.purpose, texts);
  return (
    <>
      <div class={`panel result ${result}`} data-result={result}>
        <Icon name={ICONS[status]} />
        <Heading title={title} />
        {detail === null ? null : <p class="receipt">{`${purpose} – ${detail}`}</p>}
        <p>{text}</p>
        {code === null ? null : <Code code={code} name={name} />}
      </div>
      {returns ? (
        <div class="actions">
          <Button kind="main" onPress={session.returnToCallback}>
            {texts.say("result.return", { name })}
          </Button>
          {countdown.seconds === null ? null : (
            <>
              <p class="note">{texts.say("result.countdown", { seconds: countdown.seconds })}</p>
              <Button kind="quiet" onPress={countdown.stop}>
                {texts.say("result.stay")}
              </Button>
            </>
          )}
        </div>
      ) : (
        <p class="note">{farewell}</p>
      )}
      <p class="reference">
        {texts.say("result.reference")}: <bdi>{capture.session_id}</bdi>
      </p>
    </>
  );
}

/** The code that the person enters where they came from; the page does not leave it by itself. */
function Code({ code, name }: { code: string; name: string }): JSX.Element {
  const { texts } = usePage();
  const label = texts.say("result.code");
  const half = code.length / 2;
  return (
    <>
      <p>{label}</p>
      <p class="number code" dir="ltr">
        <span aria-hidden="true">{`${code.slice(0, half)}\u2009${code.slice(half)}`}</span>
        {/* Digit by digit for a screen reader, not twelve million. */}
        <span class="unseen">{[...code].join(" ")}</span>
      </p>
      <p>{texts.say("result.code_where", { name })}</p>
      <CopyCode code={code} label={label} />
    </>
  );
}

function farewellKey(handoff: CaptureState["handoff"]): Key {
  if (handoff === null || handoff.state !== "active") return "common.can_close";
  return handoff.device === "second" ? "result.second_device" : "result.first_device";
}

/** Seconds until `done` happens, and how the person stops the clock (WCAG 2.2.1). Null: no clock runs. */
function useCountdown(from: number | null, done: () => void): { seconds: number | null; stop: () => void } {
  const [seconds, setSeconds] = useState(from);
  useEffect(() => {
    if (seconds === null) return undefined;
    if (seconds <= 0) return done();
    const timer = setTimeout(() => setSeconds(seconds - 1), 1000);
    return () => clearTimeout(timer);
  }, [seconds, done]);
  return { seconds, stop: () => setSeconds(null) };
}
