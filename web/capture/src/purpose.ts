/**
 * What is being confirmed, in words: "Confirm transfer" and "1,250.00 EUR to ACME GmbH (..3421)".
 *
 * Amount and payee must be readable at the moment of approval (PSD2 dynamic linking; UX 1.2).
 */
import type { Key, Texts } from "./i18n";
import type { Purpose } from "./wire";

export interface PurposeText {
  title: string;
  detail: string | null;
}

const DETAILS: Record<string, Key> = {
  amount: "purpose.detail.amount",
  "amount payee": "purpose.detail.amount_payee",
  "amount payee account": "purpose.detail.amount_payee_account",
  "amount account": "purpose.detail.amount_account",
  payee: "purpose.detail.payee",
  "payee account": "purpose.detail.payee_account",
  account: "purpose.detail.account",
};

/** The title and, where an amount, payee or account is known, the detail. The operator's own words come first. */
export function purposeText(purpose: Purpose | null, texts: Texts): PurposeText {
  const known = purpose?.code ? texts.find(`purpose.title.${purpose.code}`) : null;
  const title = purpose?.text ?? known ?? texts.say("purpose.title.none");
  if (!purpose) return { title, detail: null };
  const values = {
    amount: purpose.amount ? formatAmount(purpose.amount, purpose.currency, texts.language) : "",
    payee: purpose.payee ? isolated(purpose.payee) : "",
    account: purpose.account ? isolated(purpose.account) : "",
  };
  const given = Object.entries(values).filter(([, value]) => value);
  const key = DETAILS[given.map(([name]) => name).join(" ")];
  return { title, detail: key ? texts.say(key, values) : null };
}

/**
 * A decimal amount as the language writes it, followed by the currency's code: symbols are ambiguous ($, kr).
 * Never rounded: digits beyond the currency's own stay.
 */
export function formatAmount(amount: string, currency: string | null, language: string): string {
  if (!/^-?\d+(\.\d+)?$/.test(amount)) return isolated(currency ? `${amount} ${currency}` : amount);
  const written = amount.split(".")[1]?.length ?? 0;
  const usual = currency ? currencyDigits(currency) : written;
  const digits = Math.min(20, Math.max(written, usual));
  const format = new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  // Newer browsers format the decimal string itself; older ones turn it into a number, exact to 15 digits.
  const number = format.format(amount as unknown as number);
  return isolated(currency ? `${number}\u00a0${currency}` : number);
}

function currencyDigits(currency: string): number {
  try {
    const options = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
    return options.maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

/** Keep a foreign word or number in one piece inside a right-to-left sentence (Unicode isolates U+2068, U+2069). */
function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}
