/** Filters that differ from liquidjs, and those that are not in the dialect. */
import { type Context, type FilterImplOptions, filters } from "liquidjs";

interface FilterThis {
  context: Context;
}
type Handler = (this: FilterThis, value: unknown, ...args: unknown[]) => unknown;

const ENTITIES: { [char: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const FORMATTERS = 50;

/** `raw` would let a value through unescaped; `*_exp` hide names from the analysis; the others are not the same twice. */
export const REMOVED_FILTERS = [
  "raw",
  "inspect",
  "sample",
  "shuffle",
  "where_exp",
  "reject_exp",
  "group_by_exp",
  "has_exp",
  "find_exp",
  "find_index_exp",
];

/** How every value reaches a text. Objects print as JSON, so that a slip shows as such. */
export function writeValue(this: FilterThis | unknown, value: unknown): string {
  const text = toText(value);
  if (this) (this as FilterThis).context?.memoryLimit.use(text.length);
  return text;
}

/** How every value reaches the page. */
export function escapeValue(this: FilterThis | unknown, value: unknown): string {
  return writeValue.call(this, value).replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

const date: Handler = function (value, ...args) {
  const at =
    value === "now" || value === "today" ? new Date(this.context.getRegister("now") as unknown as number) : value;
  return (filters.date as Handler).call(this, at, ...args);
};

/** `{{ 1234.5 | money: "EUR", "de" }}` → 1.234,50 €. In units, not cents. What is no number stays as it is. */
const money: Handler = (value, currency, locale) => {
  const amount = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof amount !== "number" || !Number.isFinite(amount)) return value;
  return moneyFormat(typeof currency === "string" ? currency : "", typeof locale === "string" ? locale : "en").format(
    amount,
  );
};

const formats = new Map<string, Intl.NumberFormat>();

/** As `money` writes it. */
export function moneyFormat(currency: string, locale: string): Intl.NumberFormat {
  const name = `${locale} ${currency}`;
  let format = formats.get(name);
  if (!format) {
    format = buildFormat(currency, locale);
    if (formats.size >= FORMATTERS) formats.clear();
    formats.set(name, format);
  }
  return format;
}

function buildFormat(currency: string, locale: string): Intl.NumberFormat {
  try {
    return new Intl.NumberFormat(
      locale,
      currency ? { style: "currency", currency } : { minimumFractionDigits: 2, maximumFractionDigits: 2 },
    );
  } catch {
    return new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  }
}

// These escape by themselves: `raw: true` keeps liquidjs from escaping their result again.
const escapeFilter: FilterImplOptions = { raw: true, handler: escapeValue };
const newlineToBr: FilterImplOptions = {
  raw: true,
  handler: function (this: FilterThis, value: unknown) {
    return escapeValue.call(this, value).replace(/\r?\n/g, "<br>");
  },
};

export const FILTERS: { [name: string]: FilterImplOptions } = {
  date: date as FilterImplOptions,
  money: money as FilterImplOptions,
  escape: escapeFilter,
  escape_once: { raw: true, handler: escapeOnce },
  newline_to_br: newlineToBr,
};

function escapeOnce(this: FilterThis, value: unknown): string {
  return escapeValue.call(this, value).replace(/&amp;(amp|lt|gt|quot|#39|#34|#\d+|#x[0-9a-f]+);/gi, "&$1;");
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(toText).join("");
  if (typeof value !== "object") return String(value);
  // Drops of liquidjs (`forloop`, a range) know how they print.
  const own = (value as { toString?: unknown }).toString;
  if (typeof own === "function" && own !== Object.prototype.toString) return String(value);
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
