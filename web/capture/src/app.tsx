import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Announcer, Voice, type Spoken } from "./announcer";
import { wear } from "./brand";
import { chooseLanguage, ENGLISH, loadTexts, type Texts } from "./i18n";
import type { Model, Screen } from "./model";
import { PageContext, type Dialog } from "./page";
import { Dialogs } from "./parts/dialogs";
import { Header } from "./parts/header";
import { phaseName } from "./phase";
import { CameraScreen } from "./screens/camera";
import { CameraProblemScreen } from "./screens/camera_problem";
import { CancelledScreen, ErrorScreen, LoadingScreen, OfflineScreen } from "./screens/endings";
import { ElsewhereScreen, HandoffNumberScreen, HandoffScreen, HandoffWaitingScreen } from "./screens/handoff";
import { PurposeScreen } from "./screens/purpose";
import { ReadyScreen } from "./screens/ready";
import { ResultScreen } from "./screens/result";
import { RetryScreen } from "./screens/retry";
import { CheckingScreen, UploadingScreen } from "./screens/sending";
import type { Session } from "./session";

/** The whole page: one screen at a time, between a header and the regions that screen readers listen to. */
export function App({ session }: { session: Session }): JSX.Element {
  const model = useModel(session);
  const texts = useTexts(session, model);
  const [dialog, show] = useState<Dialog | null>(null);
  const [spoken, setSpoken] = useState<Spoken>({ polite: "", assertive: "" });
  const announcer = useMemo(() => new Announcer(setSpoken), []);
  const voice = useMemo(() => new Voice(), []);
  const brand = model.capture?.brand ?? null;
  useEffect(() => void (brand && wear(brand)), [brand]);
  useEffect(() => show(null), [model.screen]);

  // Words and state arrive together, so that nobody sees a language change under their eyes.
  const screen = texts === null ? "loading" : model.screen;
  const page = { session, model: { ...model, screen }, texts: texts ?? ENGLISH, announcer, voice, show };
  return (
    <PageContext.Provider value={page}>
      <Header />
      {model.online || screen === "offline" || model.upload === "no-connection" ? null : (
        <p class="banner" role="status">
          {page.texts.say("offline.banner")}
        </p>
      )}
      {model.handoffRefused ? (
        <p class="banner" role="status">
          {page.texts.say("handoff.not_allowed")}
        </p>
      ) : null}
      <main data-screen={screen} {...(model.phase === null ? {} : { "data-phase": phaseName(model.phase) })}>
        <Current screen={screen} />
      </main>
      <Dialogs open={dialog} />
      <div class="unseen" aria-live="polite">
        {spoken.polite}
      </div>
      <div class="unseen" aria-live="assertive">
        {spoken.assertive}
      </div>
    </PageContext.Provider>
  );
}

function Current({ screen }: { screen: Screen }): JSX.Element {
  switch (screen) {
    case "loading":
      return <LoadingScreen />;
    case "purpose":
      return <PurposeScreen />;
    case "ready":
      return <ReadyScreen />;
    case "camera-problem":
      return <CameraProblemScreen />;
    case "framing":
    case "challenge":
      return <CameraScreen />;
    case "uploading":
      return <UploadingScreen />;
    case "checking":
      return <CheckingScreen />;
    case "retry":
      return <RetryScreen />;
    case "result":
      return <ResultScreen />;
    case "handoff":
      return <HandoffScreen />;
    case "handoff-waiting":
      return <HandoffWaitingScreen />;
    case "handoff-number":
      return <HandoffNumberScreen />;
    case "continue-elsewhere":
      return <ElsewhereScreen />;
    case "cancelled":
      return <CancelledScreen />;
    case "error":
      return <ErrorScreen />;
    case "offline":
      return <OfflineScreen />;
  }
}

function useModel(session: Session): Model {
  const [model, setModel] = useState(session.model);
  useEffect(() => session.subscribe(setModel), [session]);
  return model;
}

/** The sentences of the language that path, session and browser ask for; null while they load. */
function useTexts(session: Session, model: Model): Texts | null {
  const [texts, setTexts] = useState<Texts | null>(null);
  const known = model.capture !== null || model.screen !== "loading";
  const sessionLanguage = model.capture?.language ?? null;
  const overrides = model.capture?.brand.texts;
  const language = chooseLanguage({
    path: session.host.address.language,
    session: sessionLanguage,
    browser: navigator.languages,
  });
  // The state is a new object with every answer; the operator's words in it rarely are.
  const own = JSON.stringify(overrides ?? {});
  useEffect(() => {
    let current = true;
    if (!known) return undefined;
    void loadTexts(language, JSON.parse(own) as Record<string, Record<string, string>>).then((loaded) => {
      if (!current) return;
      document.documentElement.lang = loaded.language;
      document.documentElement.dir = loaded.direction;
      setTexts(loaded);
    });
    return () => void (current = false);
  }, [known, language, own]);
  return texts;
}
