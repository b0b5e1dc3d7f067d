import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Button } from "../parts/button";
import { Heading } from "../parts/heading";
import { Icon } from "../parts/icons";
import { prepare } from "../capturing";
import { methodOf } from "../model";
import { mayHandOver, usePage, useStep } from "../page";

/** Before the camera: light, glasses, and for coloured light a warning and the way without it. */
export function ReadyScreen(): JSX.Element {
  const { session, model, texts, show } = usePage();
  const step = useStep();
  const method = methodOf(step, model.chosen);
  // Never PASSIVE in place of light: the server would refuse the weaker method.
  const lightless = method === "FLASHING" && step.methods.includes("ACTIVE_3D");
  const icon = method === "FLASHING" ? "screen" : method === "ACTIVE_3D" ? "turn" : "camera";
  // A phone's camera is often the better one; nobody is forced to use it (UX.md 1.6).
  const atComputer = matchMedia("(pointer: fine) and (min-width: 48rem)").matches;
  useEffect(() => void prepare().catch(() => undefined), []);
  return (
    <>
      <Heading title={texts.say("ready.title")} />
      <ul class="panel advice">
        <li>
          <Icon name="light" />
          <span>{texts.say("ready.light")}</span>
        </li>
        <li>
          <Icon name="glasses" />
          <span>{texts.say("ready.face")}</span>
        </li>
        <li>
          <Icon name={icon} />
          <span>{texts.say(`ready.${method}`)}</span>
        </li>
        {method === "FLASHING" ? (
          <li class="warning">
            <Icon name="warning" />
            <strong>{texts.say("ready.flash_warning")}</strong>
          </li>
        ) : null}
      </ul>
      <p class="note">{texts.say("ready.permission")}</p>
      <div class="actions">
        <Button kind="main" icon="camera" onPress={session.openCamera}>
          {texts.say(method === "FLASHING" ? "ready.start_light" : "ready.start")}
        </Button>
        {lightless ? (
          <Button icon="turn" onPress={() => session.dispatch({ type: "method", method: "ACTIVE_3D" })}>
            {texts.say("ready.without_light")}
          </Button>
        ) : null}
        {atComputer && mayHandOver(model) ? (
          <Button icon="phone" onPress={session.offerHandoff}>
            {texts.say("handoff.offer")}
          </Button>
        ) : null}
        <Button kind="quiet" onPress={() => show("ways")}>
          {texts.say("common.another_way")}
        </Button>
      </div>
    </>
  );
}
