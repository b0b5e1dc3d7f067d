import type { JSX } from "preact";
import { Button } from "../parts/button";
import { Heading } from "../parts/heading";
import { prepare } from "../capturing";
import { methodOf } from "../model";
import { formatDate, nameOf, useCapture, usePage } from "../page";
import { purposeText } from "../purpose";
import type { Purpose } from "../wire";

/** Who asks, for what, and what happens to the picture. */
export function PurposeScreen(): JSX.Element {
  const { session, model, texts, show } = usePage();
  const capture = useCapture();
  const name = nameOf(model);
  const { title, detail } = purposeText(capture.purpose, texts);
  const proceed = () => {
    void prepare().catch(() => undefined);
    return session.proceed();
  };
  const privacy = capture.brand.privacy_policy_url;
  return (
    <>
      <div class="panel purpose">
        <Heading title={detail === null ? title : `${title} – ${detail}`}>
          <span class="action">{title}</span>
          {detail === null ? null : (
            <>
              <span class="unseen"> – </span>
              <span class="detail">{detail}</span>
            </>
          )}
        </Heading>
        <Details purpose={capture.purpose} />
        <p>{texts.say("purpose.who", { name })}</p>
      </div>
      <p class="truth">
        {useSent()} {texts.say("purpose.device")}{" "}
        {privacy ? (
          <a href={privacy} target="_blank" rel="noopener noreferrer">
            {texts.say("common.privacy_policy")}
          </a>
        ) : null}
      </p>
      <div class="actions">
        <Button kind="main" onPress={proceed}>
          {texts.say("common.continue")}
        </Button>
        <Button onPress={() => show("ways")}>{texts.say("common.another_way")}</Button>
        <Button kind="danger" onPress={() => show("not-me")}>
          {texts.say("purpose.not_me")}
        </Button>
      </div>
    </>
  );
}

/** What an action says beside amount and payee. */
function Details({ purpose }: { purpose: Purpose | null }): JSX.Element | null {
  const { texts } = usePage();
  const reference = purpose?.reference ? [{ label: texts.say("result.reference"), value: purpose.reference }] : [];
  const lines = [...reference, ...(purpose?.details ?? [])];
  if (lines.length === 0) return null;
  return (
    <dl class="details">
      {lines.map(({ label, value }, index) => (
        <div key={index}>
          <dt dir="auto">{label}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The one line of truth: what is sent, to whom, and for how long it is kept. */
function useSent(): string {
  const { model, texts } = usePage();
  const { step, kept_until: keptUntil, brand } = useCapture();
  const amount = step !== null && methodOf(step, model.chosen) === "PASSIVE" ? "PASSIVE" : "many";
  const values = { name: brand.name };
  if (keptUntil === null) return texts.say(`purpose.sent.${amount}.open`, values);
  return texts.say(`purpose.sent.${amount}.until`, { ...values, date: formatDate(keptUntil, texts, false) });
}
