/**
 * Collects the report: loaded after the first paint, in a part of its own. Nothing here calls another server: the
 * libraries' own calls home are not part of what is imported.
 */
import { collect as collectTraces, detect, detectors, sources as traceSources } from "@fingerprintjs/botd";
import { loadSources, murmurX64Hash128, sources } from "@fingerprintjs/fingerprintjs";
import { isWebView } from "../camera/problem";
import { isPatched, tracesOfAutomation } from "../recording/observations";
import { browserStores, keptId } from "./persistence";
import { fitted, type ClientHints, type DeviceReport } from "./report";

/** The entropy sources that are used; ad blockers, which change by the day, are not asked. */
const SOURCES = {
  fonts: sources.fonts,
  fontPreferences: sources.fontPreferences,
  audio: sources.audio,
  canvas: sources.canvas,
  colorGamut: sources.colorGamut,
  invertedColors: sources.invertedColors,
  forcedColors: sources.forcedColors,
  monochrome: sources.monochrome,
  contrast: sources.contrast,
  reducedMotion: sources.reducedMotion,
  reducedTransparency: sources.reducedTransparency,
  hdr: sources.hdr,
  math: sources.math,
  plugins: sources.plugins,
  touchSupport: sources.touchSupport,
  vendorFlavors: sources.vendorFlavors,
  cookiesEnabled: sources.cookiesEnabled,
  sessionStorage: sources.sessionStorage,
  localStorage: sources.localStorage,
  indexedDB: sources.indexedDB,
  pdfViewerEnabled: sources.pdfViewerEnabled,
  applePay: sources.applePay,
  audioBaseLatency: sources.audioBaseLatency,
  dateTimeLocale: sources.dateTimeLocale,
  hardwareConcurrency: sources.hardwareConcurrency,
  deviceMemory: sources.deviceMemory,
  webGlBasics: sources.webGlBasics,
  webGlExtensions: sources.webGlExtensions,
};

/** What a browser may know beyond the types of TypeScript's library. */
interface Extended extends Navigator {
  userAgentData?: { getHighEntropyValues(names: string[]): Promise<Record<string, unknown>> };
  globalPrivacyControl?: boolean;
}

/** Contrast as the library counts it. */
const CONTRASTS: Readonly<Record<string, string>> = { "-1": "less", "0": "no-preference", "1": "more", "10": "forced" };

/** Collect everything; what fails is left out. */
export async function collectReport(): Promise<DeviceReport> {
  const began = performance.now();
  const [told, kept, bot, hints, devices, permissions] = await Promise.all([
    components(),
    keptId(browserStores()).catch(() => null),
    botKind().catch(() => null),
    clientHints().catch(() => undefined),
    mediaDevices().catch(() => null),
    permissionStates(),
  ]);
  const value = <Name extends keyof typeof SOURCES>(name: Name) => valueOf(told, name);
  const graphics = value("webGlBasics");
  const extensions = value("webGlExtensions");
  const { screen: display, navigator: own } = window;
  return fitted({
    source: "page",
    persistent_id: kept?.id,
    persistent_healed: kept?.healed,
    persistent_stores: kept?.stores,
    user_agent: own.userAgent,
    navigator_platform: own.platform,
    vendor: own.vendor,
    languages: [...(own.languages ?? [])],
    locale: text(value("dateTimeLocale")),
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    utc_offset_minutes: -new Date().getTimezoneOffset(),
    screen_width: display.width,
    screen_height: display.height,
    available_width: display.availWidth,
    available_height: display.availHeight,
    window_width: innerWidth,
    window_height: innerHeight,
    outer_width: outerWidth,
    outer_height: outerHeight,
    pixel_ratio: devicePixelRatio,
    colour_depth: display.colorDepth,
    colour_gamut: value("colorGamut"),
    colour_scheme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light",
    contrast: CONTRASTS[String(value("contrast"))],
    reduced_motion: value("reducedMotion"),
    reduced_transparency: value("reducedTransparency"),
    forced_colours: value("forcedColors"),
    inverted_colours: value("invertedColors"),
    monochrome_bits: value("monochrome"),
    hdr: value("hdr"),
    cores: value("hardwareConcurrency"),
    memory_gb: value("deviceMemory"),
    touch_points: value("touchSupport")?.maxTouchPoints,
    webgl_vendor: typeof graphics === "object" ? graphics.vendorUnmasked || graphics.vendor : undefined,
    webgl_renderer: typeof graphics === "object" ? graphics.rendererUnmasked || graphics.renderer : undefined,
    audio_latency: number(value("audioBaseLatency")),
    digests: digests({
      canvas: drawn(value("canvas")),
      audio: number(value("audio")),
      fonts: value("fonts"),
      font_preferences: value("fontPreferences"),
      math: value("math"),
      plugins: value("plugins"),
      vendor_flavours: value("vendorFlavors"),
      webgl_extensions: typeof extensions === "object" ? extensions : undefined,
    }),
    plugins_count: value("plugins")?.length,
    pdf_viewer: value("pdfViewerEnabled"),
    apple_pay: value("applePay") === undefined ? undefined : value("applePay") === 1,
    cookies: value("cookiesEnabled"),
    local_storage: value("localStorage"),
    session_storage: value("sessionStorage"),
    indexed_db: value("indexedDB"),
    cameras: devices?.videoinput,
    microphones: devices?.audioinput,
    speakers: devices?.audiooutput,
    permissions,
    do_not_track: own.doNotTrack === null ? undefined : own.doNotTrack === "1",
    global_privacy_control: (own as Extended).globalPrivacyControl,
    webdriver: own.webdriver,
    bot_kind: bot,
    automation: automation(),
    hints,
    webview: isWebView(own.userAgent),
    framed: window.parent !== window,
    secure_context: isSecureContext,
    collected_ms: performance.now() - began,
  });
}

type Components = Awaited<ReturnType<typeof components>>;

function components() {
  return loadSources(SOURCES, { cache: {}, debug: false } as never, [])();
}

function valueOf<Name extends keyof Components>(told: Components, name: Name) {
  const component = told[name];
  type Value = Extract<typeof component, { value: unknown }>["value"];
  return "value" in component ? (component.value as Value) : undefined;
}

/** The drawing's shapes alone: text is drawn anew by every update of a font. Null where the browser blurs drawings. */
function drawn(canvas: { geometry: string; winding: boolean } | undefined): string | undefined {
  return canvas === undefined || ["", "skipped", "unsupported", "unstable"].includes(canvas.geometry)
    ? undefined
    : canvas.geometry;
}

function digests(values: Record<string, unknown>): Record<string, string> {
  const known = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known.map(([name, value]) => [name, murmurX64Hash128(JSON.stringify(value))]));
}

/** Numbers below zero are the library's words for "cannot tell". */
function number(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

async function botKind(): Promise<string | null> {
  const [, result] = detect(await collectTraces(traceSources), detectors);
  return result.bot ? result.botKind : null;
}

function automation(): string[] {
  const globals = [...Object.getOwnPropertyNames(window), ...Object.getOwnPropertyNames(document)];
  const found = tracesOfAutomation(globals, navigator.userAgent);
  if (isPatched(navigator.mediaDevices?.getUserMedia)) found.push("patched_camera");
  const drawing = [HTMLCanvasElement.prototype.toDataURL, WebGLRenderingContext.prototype.getParameter];
  if ([...drawing, Intl.DateTimeFormat.prototype.resolvedOptions].some(isPatched)) found.push("patched_functions");
  if (!navigator.languages?.length) found.push("no_languages");
  return found;
}

async function clientHints(): Promise<ClientHints | undefined> {
  const asked = ["architecture", "bitness", "model", "platformVersion", "uaFullVersion"];
  const told = await (navigator as Extended).userAgentData?.getHighEntropyValues(asked);
  if (told === undefined) return undefined;
  const one = (name: string) => text(told[name]) ?? "";
  return {
    architecture: one("architecture"),
    bitness: one("bitness"),
    platform: one("platform"),
    platform_version: one("platformVersion"),
    model: one("model"),
    full_version: one("uaFullVersion"),
  };
}

/** How many of each kind. Before the person allows the camera, a browser tells no more than whether there is one. */
async function mediaDevices(): Promise<Record<MediaDeviceKind, number> | null> {
  if (!navigator.mediaDevices?.enumerateDevices) return null;
  const counts = { videoinput: 0, audioinput: 0, audiooutput: 0 };
  for (const device of await navigator.mediaDevices.enumerateDevices()) counts[device.kind] += 1;
  return counts;
}

async function permissionStates(): Promise<Record<string, string>> {
  const names = ["camera", "microphone", "geolocation", "notifications"];
  const state = async (name: string): Promise<[string, string]> => {
    const answer = await navigator.permissions.query({ name: name as PermissionName });
    return [name, answer.state];
  };
  const told = await Promise.all(names.map((name) => state(name).catch(() => null)));
  return Object.fromEntries(told.filter((one) => one !== null));
}
