/**
 * What the page tells of its device. Names are the wire's: they mirror src/ipse/capture/device_schema.py, whose bounds
 * `fitted` keeps, so that an odd browser never makes the server refuse a report.
 */

export interface ClientHints {
  architecture?: string;
  bitness?: string;
  platform?: string;
  platform_version?: string;
  model?: string;
  full_version?: string;
}

export interface DeviceReport {
  source: "page";
  persistent_id?: string;
  persistent_healed?: boolean;
  persistent_stores?: number;
  user_agent?: string;
  navigator_platform?: string;
  vendor?: string;
  languages?: string[];
  locale?: string;
  time_zone?: string;
  utc_offset_minutes?: number;
  screen_width?: number;
  screen_height?: number;
  available_width?: number;
  available_height?: number;
  window_width?: number;
  window_height?: number;
  outer_width?: number;
  outer_height?: number;
  pixel_ratio?: number;
  colour_depth?: number;
  colour_gamut?: string;
  colour_scheme?: string;
  contrast?: string;
  reduced_motion?: boolean;
  reduced_transparency?: boolean;
  forced_colours?: boolean;
  inverted_colours?: boolean;
  monochrome_bits?: number;
  hdr?: boolean;
  cores?: number;
  memory_gb?: number;
  touch_points?: number;
  webgl_vendor?: string;
  webgl_renderer?: string;
  audio_latency?: number;
  digests?: Record<string, string>;
  plugins_count?: number;
  pdf_viewer?: boolean;
  apple_pay?: boolean;
  cookies?: boolean;
  local_storage?: boolean;
  session_storage?: boolean;
  indexed_db?: boolean;
  cameras?: number;
  microphones?: number;
  speakers?: number;
  permissions?: Record<string, string>;
  do_not_track?: boolean;
  global_privacy_control?: boolean;
  webdriver?: boolean;
  bot_kind?: string;
  automation?: string[];
  hints?: ClientHints;
  webview?: boolean;
  framed?: boolean;
  secure_context?: boolean;
  collected_ms?: number;
}

/** Longest texts, in characters; 64 where nothing is said. */
const LONGEST: Partial<Record<keyof DeviceReport, number>> = {
  user_agent: 1024,
  webgl_vendor: 128,
  webgl_renderer: 256,
  languages: 35,
  locale: 35,
};
/** Values that need not be whole numbers. */
const FRACTIONS: readonly (keyof DeviceReport)[] = ["pixel_ratio", "memory_gb", "audio_latency", "collected_ms"];
const LARGEST = 1_000_000;

/** The report without what is unknown or cannot be told: numbers in range, texts cut to their bounds. */
export function fitted(report: { [Name in keyof DeviceReport]: DeviceReport[Name] | null | undefined }): DeviceReport {
  const told = Object.entries(report).map(([name, value]) => [name, fit(name as keyof DeviceReport, value)]);
  return Object.fromEntries(told.filter(([, value]) => value !== undefined)) as unknown as DeviceReport;
}

function fit(name: keyof DeviceReport, value: unknown): unknown {
  const longest = LONGEST[name] ?? 64;
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value.slice(0, longest) || undefined;
  if (typeof value === "number") return number(name, value);
  if (Array.isArray(value)) return value.filter((one) => typeof one === "string").slice(0, 16).map((one) => one.slice(0, longest));
  if (typeof value !== "object" || value === null) return undefined;
  const texts = Object.entries(value).filter(([, text]) => typeof text === "string" && text !== "");
  return Object.fromEntries(texts.map(([key, text]) => [key, (text as string).slice(0, 64)]));
}

function number(name: keyof DeviceReport, value: number): number | undefined {
  if (!Number.isFinite(value) || Math.abs(value) > LARGEST) return undefined;
  if (name === "utc_offset_minutes") return Math.abs(value) <= 1440 ? Math.round(value) : undefined;
  if (value < 0) return undefined;
  return FRACTIONS.includes(name) ? Math.round(value * 1000) / 1000 : Math.round(value);
}
