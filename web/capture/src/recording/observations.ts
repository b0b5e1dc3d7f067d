/** What the browser says of itself and the camera. The server grades these claims; it believes none. */

import { isWebView } from "../camera/problem";
import type { Camera, Observations } from "./types";

/** Globals that tools for driving browsers leave behind, each with the name under which it is reported. */
const TRACES: readonly [name: string, global: RegExp][] = [
  ["playwright", /^__(playwright|pw)/],
  ["puppeteer", /^__puppeteer/],
  ["selenium", /^(__selenium|_selenium|_Selenium_IDE|__webdriver|__driver|__fxdriver|callSelenium)/],
  ["chromedriver", /^\$?cdc_/],
  ["phantom", /^(_phantom|callPhantom|phantom)$/],
  ["nightmare", /^__nightmare$/],
  ["dom_automation", /^domAutomation(Controller)?$/],
  ["cypress", /^(Cypress|__cypress)$/],
];

/** Names of the traces of automation in the names of globals, each once. */
export function tracesOfAutomation(globals: readonly string[], userAgent: string): string[] {
  const found = TRACES.filter(([, pattern]) => globals.some((name) => pattern.test(name))).map(([name]) => name);
  return /HeadlessChrome/.test(userAgent) ? [...found, "headless"] : found;
}

/** Whether a script took the place of a function of the browser. */
export function isPatched(builtIn: unknown): boolean {
  return typeof builtIn === "function" && !/\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(builtIn));
}

export interface Taken {
  /** performance.now() of each still. */
  stillsAt: readonly number[];
  /** performance.now() at the zero of every time that is told. */
  origin: number;
  automatic: boolean;
}

export function observe(camera: Camera, { stillsAt, origin, automatic }: Taken): Observations {
  const told = (at: number): number => Math.round((at - origin) * 1000) / 1000;
  const automation = tracesOfAutomation(
    [...Object.getOwnPropertyNames(window), ...Object.getOwnPropertyNames(document)],
    navigator.userAgent,
  );
  if (isPatched(navigator.mediaDevices?.getUserMedia)) automation.push("patched_camera");
  return {
    camera: camera.facts(),
    frame_times_ms: camera.frameTimes().map(told).filter((at) => at >= 0).slice(-600),
    stills_at_ms: stillsAt.map(told).slice(0, 10),
    webdriver: navigator.webdriver ?? null,
    automation,
    webview: isWebView(navigator.userAgent),
    languages: [...(navigator.languages ?? [])].slice(0, 16),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone?.slice(0, 64) ?? null,
    screen: `${screen.width}x${screen.height}x${window.devicePixelRatio}`,
    automatic,
  };
}
