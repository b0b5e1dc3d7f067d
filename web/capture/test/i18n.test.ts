import { expect, test } from "vitest";

import { chooseLanguage, ENGLISH, LANGUAGES, loadTexts, textsOf } from "../src/i18n";
import en from "../src/locales/en.json";

const FILES = ["en", "es", "pt", "zh-CN", "ar", "de"];
const choose = (path: string | null, session: string | null, ...browser: string[]) =>
  chooseLanguage({ path, session, browser }, FILES);

test("the path's language wins over the session's, and the session's over the browser's", () => {
  expect(choose("de", "es", "ar")).toBe("de");
  expect(choose(null, "es", "ar")).toBe("es");
  expect(choose(null, null, "ar", "de")).toBe("ar");
});

test("a language without a file falls back from region to base and then to English", () => {
  expect(choose("pt-BR", null)).toBe("pt");
  expect(choose("zh-TW", null)).toBe("zh-CN");
  expect(choose("zh", null)).toBe("zh-CN");
  expect(choose("sv", "es", "de")).toBe("en");
});

test("the browser's second language is better than English when there is no file for the first", () => {
  expect(choose(null, null, "sv-SE", "de-CH", "en")).toBe("de");
  expect(choose(null, null)).toBe("en");
});

test("Arabic is written from right to left", async () => {
  expect(textsOf("ar", {}).direction).toBe("rtl");
  expect(ENGLISH.direction).toBe("ltr");
});

test("the operator's own words replace the page's, for their language only", () => {
  const texts = textsOf("pt-BR", {}, { pt: { "common.continue": "Avançar" }, de: { "common.back": "Weg" } });
  expect(texts.say("common.continue")).toBe("Avançar");
  expect(texts.say("common.back")).toBe(en["common.back"]);
});

test("a missing sentence is said in English, and a value that was not given stays visible as its name", () => {
  expect(textsOf("de", { "common.back": "Zurück" }).say("common.close")).toBe(en["common.close"]);
  expect(ENGLISH.say("purpose.who")).toContain("{name}");
  expect(ENGLISH.say("purpose.who", { name: "A{name}$&" })).toContain("A{name}$&");
});

test("a language whose file is not there speaks English", async () => {
  expect((await loadTexts("xx", {})).language).toBe("en");
});

test.each(LANGUAGES)("%s has every sentence of English, with the same values in it", async (language) => {
  const table = (await import(`../src/locales/${language}.json`)).default as Record<string, string>;
  const values = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
  expect(Object.keys(table).sort()).toEqual(Object.keys(en).sort());
  for (const [key, text] of Object.entries(en)) expect([key, values(table[key]!)]).toEqual([key, values(text)]);
});
