/**
 * Framing and challenge: one live picture, one instruction at a time.
 */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Button } from "../parts/button";
import { ChallengeArrow } from "../parts/arrow";
import { Heading } from "../parts/heading";
import { Oval } from "../parts/oval";
import { take } from "../capturing";
import { useElapsed, usePage } from "../page";
import { phaseName } from "../phase";

/** After so long without a picture the other ways are offered loudly (UX.md 1.3). */
const LONG_MS = 40_000;
/** A permission prompt that is still open after this gets a hint. */
const PROMPT_MS = 1500;

/** The camera that was chosen last on this page. */
let remembered: string | null = null;

interface Opened {
  devices: { id: string; label: string }[];
  guided: boolean;
}

export function CameraScreen(): JSX.Element {
  const page = usePage();
  const { session, model, texts, show } = page;
  const [opened, setOpened] = useState<Opened | null>(null);
  const [taken, setTaken] = useState(false);
  const [deviceId, setDeviceId] = useState(remembered);
  const video = useRef<HTMLVideoElement>(null);
  const trigger = useMemo(pressable, [deviceId]);
  const long = useElapsed(LONG_MS);
  const prompting = useElapsed(PROMPT_MS) && opened === null;
  const { phase } = model;

  useEffect(() => {
    const stop = new AbortController();
    const element = video.current;
    if (element === null) return undefined;
    void take({
      session,
      texts: page.texts,
      announcer: page.announcer,
      video: element,
      deviceId,
      manual: trigger.pressed,
      signal: stop.signal,
      opened: (devices, guided) => setOpened({ devices, guided }),
      shutter: () => setTaken(true),
    });
    return () => stop.abort();
    // One recording for one camera: texts that load late must not restart it.
  }, [session, deviceId, trigger]);

  const choose = (id: string) => {
    remembered = id;
    session.dispatch({ type: "go", screen: "framing" });
    setOpened(null);
    setDeviceId(id);
  };
  const instruction = useInstruction(opened, prompting);
  const { facing, maySwitch } = session.host.address.camera;
  return (
    <>
      {model.colour === null ? null : <Light colour={model.colour} />}
      <div class="stage">
        <Heading title={texts.say(model.screen === "challenge" ? "challenge.title" : "framing.title")} />
        <p class="hint" {...(prompting ? { "data-hint": "allow_camera" } : model.hint ? { "data-hint": model.hint } : {})}>
          {instruction}
        </p>
        <Oval
          mood={opened !== null && model.hint === null ? "good" : "waiting"}
          progress={model.capture?.brand.hide_progress_bar ? null : model.progress}
          over={phase?.kind === "turn" ? <ChallengeArrow direction={phase.direction} mirrored={facing === "user"} /> : null}
        >
          <video
            ref={video}
            class={facing === "user" ? "mirrored" : ""}
            aria-label={texts.say("framing.preview")}
            autoplay
            muted
            playsInline
            disablePictureInPicture
          />
          {taken && phase === null ? <div class="flash" /> : null}
        </Oval>
        <div class="actions">
          {model.manualAllowed && !taken && phase === null ? (
            <Button kind="main" icon="camera" onPress={trigger.press}>
              {texts.say("framing.take")}
            </Button>
          ) : null}
          {maySwitch && opened !== null && opened.devices.length > 1 && model.screen === "framing" ? (
            <CameraChoice devices={opened.devices} chosen={deviceId} choose={choose} />
          ) : null}
          {phase !== null && model.colour === null ? (
            <p class="note">{texts.say("challenge.progress", { part: model.part, parts: model.parts })}</p>
          ) : null}
          {long && phase === null ? <p class="note">{texts.say("framing.long")}</p> : null}
          {model.colour === null ? (
            <Button kind={long ? "other" : "quiet"} onPress={() => show("ways")}>
              {texts.say("common.another_way")}
            </Button>
          ) : null}
          <Button kind="quiet" onPress={() => show("stop")}>
            {texts.say("stop.button")}
          </Button>
        </div>
      </div>
    </>
  );
}

/** The colour the server asked for, over everything but the oval and the words. */
function Light({ colour }: { colour: readonly [number, number, number] }): JSX.Element {
  const rgb = colour.join(",");
  return <div class="light" data-colour={rgb} style={{ backgroundColor: `rgb(${rgb})` }} />;
}

function CameraChoice(props: { devices: Opened["devices"]; chosen: string | null; choose(id: string): void }): JSX.Element {
  const { texts } = usePage();
  return (
    <label class="camera-choice">
      <span>{texts.say("framing.camera")}</span>
      <select value={props.chosen ?? props.devices[0]?.id} onChange={(event) => props.choose(event.currentTarget.value)}>
        {props.devices.map((device, index) => (
          <option key={device.id} value={device.id}>
            {device.label || texts.say("framing.camera_number", { number: index + 1 })}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What to do now, in one sentence; screen readers and the voice hear it too. */
function useInstruction(opened: Opened | null, prompting: boolean): string {
  const { model, texts, announcer, voice } = usePage();
  const text = instructionOf();
  useEffect(() => {
    if (prompting) announcer.assertive(text);
    else announcer.polite(text);
    voice.say(text, texts);
  }, [text, prompting, announcer, voice, texts]);
  return text;

  function instructionOf(): string {
    if (prompting) return texts.say("hint.allow_camera");
    if (opened === null) return texts.say("framing.starting");
    const name = model.phase === null ? null : phaseName(model.phase);
    if (name !== null) return texts.say(`challenge.${name}`);
    if (model.hint !== null) return texts.say(`hint.${model.hint}`);
    return texts.say(opened.guided ? "framing.good" : "framing.by_time");
  }
}

function pressable(): { press: () => void; pressed: Promise<void> } {
  let press: () => void = () => undefined;
  const pressed = new Promise<void>((resolve) => (press = resolve));
  return { press: () => press(), pressed };
}
