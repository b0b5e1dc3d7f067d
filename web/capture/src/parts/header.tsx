import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Voice } from "../announcer";
import { nameOf, usePage } from "../page";
import { Icon } from "./icons";

/** Who asks, whether this is a test, and the switch for spoken instructions. */
export function Header(): JSX.Element {
  const { model, texts, voice } = usePage();
  const [spoken, setSpoken] = useState(voice.on);
  const brand = model.capture?.brand;
  const logo = brand?.wide_logo ?? brand?.logo;
  const toggle = () => {
    voice.toggle();
    setSpoken(voice.on);
    voice.say(document.querySelector("h1")?.textContent ?? "", texts);
  };
  return (
    <header class={model.colour === null ? "" : "hushed"}>
      {logo ? <img class="logo" src={logo} alt={nameOf(model)} /> : <p class="name">{brand ? brand.name : ""}</p>}
      {Voice.available ? (
        <button type="button" class={spoken ? "voice on" : "voice"} onClick={toggle}>
          <Icon name="voice" />
          <span class="unseen">{texts.say(spoken ? "common.voice_off" : "common.voice_on")}</span>
        </button>
      ) : null}
      {model.capture?.environment === "sandbox" ? <p class="test-mode">{texts.say("common.test_mode")}</p> : null}
    </header>
  );
}
