import { describe, expect, test } from "vitest";

import { LANGUAGES, type Key } from "../src/i18n";
import en from "../src/locales/en.json";

const KEYS = Object.keys(en) as Key[];

/** The languages that issue 3 promises to be complete. That each has English's keys and values, i18n.test.ts proves. */
const COMPLETE = ["en", "es", "fr", "de", "pt", "it", "ja", "ko", "zh-CN", "ar"];

/** Keys that are the words of a button: a button is at most twice as long as in English, so that it fits 320 pixels. */
const BUTTONS: Key[] = [
  "common.continue",
  "common.back",
  "common.cancel",
  "common.close",
  "common.try_again",
  "common.another_way",
  "common.copied",
  "common.copy_link",
  "common.voice_on",
  "common.voice_off",
  "purpose.not_me",
  "not_me.confirm",
  "not_me.back",
  "stop.button",
  "stop.confirm",
  "stop.back",
  "ways.phone",
  "ways.alternative",
  "ways.method.PASSIVE",
  "ways.method.ACTIVE_3D",
  "ways.method.FLASHING",
  "ready.without_light",
  "ready.start",
  "ready.start_light",
  "framing.take",
  "uploading.again",
  "checking.leave",
  "retry.again",
  "camera.open_window",
  "result.return",
  "result.stay",
  "handoff.here",
  "handoff.offer",
  "handoff_waiting.stop",
  "handoff_number.yes",
  "handoff_number.no",
  "elsewhere.here",
  "cancelled.resume",
];

/** Words of the person's own left and right: swapped, they would make an honest person fail. */
const SIDES: Record<string, [left: string, right: string]> = {
  en: ["left", "right"],
  es: ["izquierda", "derecha"],
  fr: ["gauche", "droite"],
  de: ["links", "rechts"],
  pt: ["esquerda", "direita"],
  it: ["sinistra", "destra"],
  ja: ["左", "右"],
  ko: ["왼쪽", "오른쪽"],
  "zh-CN": ["左", "右"],
  ar: ["يسار", "يمين"],
};

const ENDINGS: Record<string, string> = { "。": ".", "．": ".", "？": "?", "؟": "?", "…": "…", ".": ".", "?": "?" };
const ending = (text: string) => ENDINGS[text.at(-1)!] ?? "none";
/** The words of a sentence without its `{placeholders}`. */
const words = (text: string) => text.replace(/\{\w+\}/g, "").match(/\p{L}+/gu) ?? [];

/** Stays quiet about correct texts: `key: text` of each text that is wrong. */
const offenders = (table: Record<string, string>, wrong: (text: string, key: Key) => boolean) =>
  KEYS.filter((key) => wrong(table[key]!, key)).map((key) => `${key}: ${table[key]}`);

test("every promised language has a file", () => {
  expect(LANGUAGES).toEqual(expect.arrayContaining(COMPLETE));
});

describe.each(COMPLETE)("%s", async (language) => {
  const table = (await import(`../src/locales/${language}.json`)).default as Record<string, string>;

  test("says something in every sentence, without spaces around it", () => {
    expect(offenders(table, (text) => text === "" || text !== text.trim())).toEqual([]);
  });

  test("ends a sentence as a sentence, a question as a question and a title without a stop", () => {
    expect(offenders(table, (text, key) => ending(text) !== ending(en[key]))).toEqual([]);
  });

  test("is calm: no exclamation mark", () => {
    expect(offenders(table, (text) => /[!！¡]/.test(text))).toEqual([]);
  });

  test("holds no invisible characters but isolates, and closes every isolate that it opens", () => {
    const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
    expect(offenders(table, (text) => invisible.test(text.replace(/\u2068([^\u2066-\u2069]*)\u2069/g, "$1")))).toEqual([]);
  });

  test("has buttons at most twice as long as in English", () => {
    const long = offenders(table, (text, key) => BUTTONS.includes(key) && text.length > 2 * en[key].length);
    expect(long).toEqual([]);
  });

  test("tells the person's left from the person's right", () => {
    const [left, right] = SIDES[language]!;
    for (const direction of ["challenge.turn-", "hint.move_"]) {
      expect(table[`${direction}left`]!.toLowerCase()).toContain(left);
      expect(table[`${direction}left`]!.toLowerCase()).not.toContain(right);
      expect(table[`${direction}right`]!.toLowerCase()).toContain(right);
      expect(table[`${direction}right`]!.toLowerCase()).not.toContain(left);
    }
  });

  test("gives every instruction of the challenge its own words", () => {
    const said = KEYS.filter((key) => /^challenge\.(turn-|hold|colours)/.test(key)).map((key) => table[key]);
    expect(new Set(said).size).toBe(said.length);
  });
});

test.each(COMPLETE.filter((language) => language !== "en"))("%s leaves no sentence in English", async (language) => {
  const table = (await import(`../src/locales/${language}.json`)).default as Record<string, string>;
  expect(offenders(table, (text, key) => text === en[key] && words(text).length > 0)).toEqual([]);
});

test("French keeps : ; ? and % with the word before them", async () => {
  const table = (await import("../src/locales/fr.json")).default as Record<string, string>;
  expect(offenders(table, (text) => /(?<!\u202f)[:;?%]/.test(text))).toEqual([]);
});

test("Japanese and Chinese use full-width marks", async () => {
  for (const language of ["ja", "zh-CN"]) {
    const table = (await import(`../src/locales/${language}.json`)).default as Record<string, string>;
    expect(offenders(table, (text) => /[,;:?()]|(?<!\.)\.(?!\.)/.test(text))).toEqual([]);
  }
});
