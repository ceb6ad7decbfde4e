/** `{{ 1234.5 | money: "EUR", "de" }}` → 1.234,50 €. In units, not cents. */
import type { Run } from "./run.ts";

const KEPT = 50;
/** Longer than names of currencies and languages are. */
const LONG = 60;
/** Another format is made rather than found: it costs as much as many values. */
const LOOKING_UP = 100;
const formats = new Map<string, Intl.NumberFormat>();
/** What was asked for last is mostly what is asked for next. */
let last = { currency: "", locale: "en", format: moneyFormat("", "en") };

/** What is no number stays as it is. */
export function money(run: Run, value: unknown, currency?: unknown, locale?: unknown): unknown {
  const amount = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof amount !== "number" || !Number.isFinite(amount)) return value;
  const code = typeof currency === "string" ? currency : "";
  const language = typeof locale === "string" ? locale : "en";
  if (code !== last.currency || language !== last.locale) {
    run.use(LOOKING_UP);
    last = { currency: code, locale: language, format: moneyFormat(code, language) };
  }
  return last.format.format(amount);
}

/** How amounts of a currency are written; of none, or of one that does not exist, with two decimals. */
export function moneyFormat(
  currency: string,
  locale: string,
  currencyDisplay: "symbol" | "code" = "symbol",
): Intl.NumberFormat {
  const name = `${locale} ${currency} ${currencyDisplay}`;
  let format = formats.get(name);
  if (!format) {
    format = buildFormat(currency, locale, currencyDisplay);
    if (formats.size >= KEPT) formats.clear();
    if (name.length < LONG) formats.set(name, format);
  }
  return format;
}

function buildFormat(currency: string, locale: string, currencyDisplay: "symbol" | "code"): Intl.NumberFormat {
  const decimal = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  try {
    return new Intl.NumberFormat(locale, currency ? { style: "currency", currency, currencyDisplay } : decimal);
  } catch {
    return new Intl.NumberFormat("en", decimal);
  }
}
