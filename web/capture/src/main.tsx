import { render } from "preact";
import { readAddress } from "./address";
import { BROWSER } from "./api";
import { App } from "./app";
import { afterFirstPaint, Reporter } from "./device/reporter";
import { Messages, surroundingsOf } from "./messages";
import { keepAsking } from "./polling";
import { Session } from "./session";
import "./styles/page.css";
import "./styles/controls.css";
import "./styles/content.css";
import "./styles/camera.css";

const reporter = new Reporter(async () => (await import("./device/collect")).collectReport());
const session = new Session({
  address: readAddress(location),
  search: location.search,
  transport: BROWSER,
  messages: new Messages(surroundingsOf(window)),
  reporter,
  // Inside a frame this leaves within the frame; the page around it is never navigated.
  leaveFor: (url) => location.assign(url),
  rewriteAddress: (path) => history.replaceState(null, "", path),
});

addEventListener("online", () => {
  session.dispatch({ type: "online", online: true });
  session.wake();
});
addEventListener("offline", () => session.dispatch({ type: "online", online: false }));

if (!navigator.onLine) session.dispatch({ type: "online", online: false });

const root = document.getElementById("root");
if (root) render(<App session={session} />, root);
void session.open();
afterFirstPaint(() => reporter.begin());
void keepAsking(session);
