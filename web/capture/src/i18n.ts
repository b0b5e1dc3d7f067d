/**
 * The page's sentences in the person's language: flat files of keys, English inside the page, the others when needed.
 */
import en from "./locales/en.json";

export type Key = keyof typeof en;
type Table = Partial<Record<Key, string>>;
type Values = Record<string, string | number>;

export interface Texts {
  /** The language of the sentences, as a BCP 47 tag. */
  language: string;
  direction: "ltr" | "rtl";
  /** The sentence with its `{placeholders}` filled in. */
  say(key: Key, values?: Values): string;
  /** The same for a key that comes from the wire, or null where there is no such sentence. */
  find(key: string, values?: Values): string | null;
}

const files = import.meta.glob<Table>(["./locales/*.json", "!./locales/en.json"], { import: "default" });
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur", "ps", "yi"];

/** The languages that have a file, as the file names write them. */
export const LANGUAGES: readonly string[] = ["en", ...Object.keys(files).map(nameOf)];

/**
 * The language to speak: the path's, else the session's, else the first of the browser's that has a file.
 * A language without a file falls back from region to base and from there to English.
 */
export function chooseLanguage(
  wanted: { path: string | null; session: string | null; browser: readonly string[] },
  available: readonly string[] = LANGUAGES,
): string {
  const decided = wanted.path ?? wanted.session;
  if (decided) return closest(decided, available) ?? "en";
  for (const language of wanted.browser) {
    const found = closest(language, available);
    if (found) return found;
  }
  return "en";
}

/** Load the sentences of a language. A file that cannot be fetched leaves English: better than an empty page. */
export async function loadTexts(language: string, overrides: Record<string, Record<string, string>>): Promise<Texts> {
  const load = files[`./locales/${language}.json`];
  if (!load) return textsOf("en", en, overrides);
  try {
    return textsOf(language, await load(), overrides);
  } catch {
    return textsOf("en", en, overrides);
  }
}

/** The sentences of a table; the operator's own come first, English fills the gaps. */
export function textsOf(language: string, table: Table, overrides: Record<string, Record<string, string>> = {}): Texts {
  const own = { ...overrides[base(language)], ...overrides[language] };
  const lookUp = (key: string): string | undefined => own[key] ?? table[key as Key] ?? en[key as Key];
  return {
    language,
    direction: RIGHT_TO_LEFT.includes(base(language)) ? "rtl" : "ltr",
    say: (key, values) => fill(lookUp(key) ?? key, values),
    find: (key, values) => {
      const text = lookUp(key);
      return text === undefined ? null : fill(text, values);
    },
  };
}

/** English, which is always at hand. */
export const ENGLISH: Texts = textsOf("en", en);

function closest(language: string, available: readonly string[]): string | null {
  const lower = language.toLowerCase();
  const exact = available.find((name) => name.toLowerCase() === lower);
  const sameBase = available.find((name) => name.toLowerCase() === base(lower));
  // Chinese has a file per script only: any Chinese is nearer than English.
  const sibling = available.find((name) => base(name.toLowerCase()) === base(lower));
  return exact ?? sameBase ?? sibling ?? null;
}

function base(language: string): string {
  return language.split("-")[0] ?? language;
}

function nameOf(path: string): string {
  return path.replace(/^.*\//, "").replace(/\.json$/, "");
}

function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}
