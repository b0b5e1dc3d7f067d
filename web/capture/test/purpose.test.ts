import { expect, test } from "vitest";

import { ENGLISH, textsOf } from "../src/i18n";
import { formatAmount, purposeText } from "../src/purpose";
import type { Purpose } from "../src/wire";

const NOTHING: Purpose = { code: null, text: null, amount: null, currency: null, payee: null, account: null };
const plain = (text: string | null) => text?.replace(/[\u2066-\u2069]/g, "").replace(/\u00a0/g, " ");
const say = (purpose: Partial<Purpose>) => {
  const { title, detail } = purposeText({ ...NOTHING, ...purpose }, ENGLISH);
  return [plain(title), plain(detail)];
};

test("a transfer names amount, payee and the end of the account", () => {
  const transfer = { code: "transfer", amount: "1250.00", currency: "EUR", payee: "ACME GmbH", account: "3421" };
  expect(say(transfer)).toEqual(["Confirm transfer", "1,250.00 EUR to ACME GmbH (..3421)"]);
});

test("whatever is known is said in one whole sentence", () => {
  expect(say({ code: "payout", amount: "5", currency: "USD" })).toEqual(["Confirm payout", "5.00 USD"]);
  expect(say({ code: "new_payee", payee: "Ana" })[1]).toBe("To Ana");
  expect(say({ payee: "Ana", account: "99" })[1]).toBe("To Ana (..99)");
  expect(say({ amount: "5", account: "99" })[1]).toBe("5 to account ..99");
  expect(say({ account: "99" })[1]).toBe("Account ..99");
  expect(say({ amount: "5", payee: "Ana" })[1]).toBe("5 to Ana");
});

test("without a purpose, or with one this page does not know, it asks to confirm that it is you", () => {
  expect(purposeText(null, ENGLISH)).toEqual({ title: "Confirm it is you", detail: null });
  expect(say({ code: "teleport" })).toEqual(["Confirm it is you", undefined].map((text) => text ?? undefined));
});

test("the operator's own sentence is shown as it is", () => {
  expect(say({ text: "Open the vault", code: "transfer" })[0]).toBe("Open the vault");
});

test("amounts are written as the language does and never rounded", () => {
  expect(plain(formatAmount("1250.5", "EUR", "de"))).toBe("1.250,50 EUR");
  expect(plain(formatAmount("1250", "JPY", "ja"))).toBe("1,250 JPY");
  expect(plain(formatAmount("0.00012345", "BTC", "en"))).toBe("0.00012345 BTC");
  expect(plain(formatAmount("1.005", "EUR", "en"))).toBe("1.005 EUR");
  expect(plain(formatAmount("12345678901234.99", "EUR", "en"))).toBe("12,345,678,901,234.99 EUR");
});

test("an amount that is no plain decimal number is shown as it came", () => {
  expect(plain(formatAmount("1e9", "EUR", "en"))).toBe("1e9 EUR");
  expect(plain(formatAmount("5", "NOT-A-CURRENCY", "en"))).toBe("5.00 NOT-A-CURRENCY");
});

test("names and numbers stay in one piece inside a right-to-left sentence", () => {
  const arabic = textsOf("ar", { "purpose.detail.payee": "إلى {payee}" });
  expect(purposeText({ ...NOTHING, payee: "ACME GmbH" }, arabic).detail).toBe("إلى \u2068ACME GmbH\u2069");
});
