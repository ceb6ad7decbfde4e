/** The tags and filters that templates may use. README.md lists the same. */
import { filters as borrowed } from "liquidjs";
import { date } from "./date.ts";
import { escapeHtml, escapeOnce, newlineToBr } from "./html.ts";
import * as lists from "./lists.ts";
import { money } from "./money.ts";
import * as numbers from "./numbers.ts";
import type { Run } from "./run.ts";
import { type StylePlace, toStyleUrl, toStyleValue } from "./styles.ts";
import { isTruthy, sizeOf, toBound, toPlain, toText } from "./values.ts";

type Apply = (run: Run, value: unknown, ...args: unknown[]) => unknown;

export interface Filter {
  apply: Apply;
  /** How many arguments it takes. */
  least: number;
  most: number;
  /** What it makes is HTML already. */
  raw?: true;
  /** Arguments that are given by name, as `[name, value]`. */
  named?: readonly string[];
}

export const TAGS = [
  ...["assign", "capture", "case", "comment", "cycle", "decrement", "echo", "for", "break", "continue"],
  ...["if", "ifchanged", "increment", "liquid", "raw", "tablerow", "unless", "#"],
];

/** Of pairs of code units that make one character. */
const HALVES = /\p{Surrogate}/gu;
const TRUNCATE_WORDS = borrow("truncatewords", 0, 2);

export const FILTERS: { readonly [name: string]: Filter } = {
  abs: borrow("abs", 0),
  append: borrow("append", 1),
  array_to_sentence_string: borrow("array_to_sentence_string", 0, 1),
  at_least: borrow("at_least", 1),
  at_most: borrow("at_most", 1),
  base64_decode: borrow("base64_decode", 0),
  base64_encode: borrow("base64_encode", 0),
  base64_url_safe_decode: define(base64UrlDecode, 0),
  base64_url_safe_encode: define(base64UrlEncode, 0),
  capitalize: borrow("capitalize", 0),
  ceil: borrow("ceil", 0),
  cgi_escape: borrowText("cgi_escape"),
  compact: define(lists.compact, 0, 1),
  concat: define(lists.concat, 1),
  date: define(date, 0, 2),
  default: { ...define(orDefault, 0, 1), named: ["allow_false"] },
  divided_by: define(numbers.dividedBy, 1),
  downcase: borrow("downcase", 0),
  escape: { ...define((run, value) => escapeHtml(toText(run, value)), 0), raw: true },
  escape_once: { ...define(escapeOnce, 0), raw: true },
  find: define(lists.find, 1, 2),
  find_index: define(lists.findIndex, 1, 2),
  first: define(lists.first, 0),
  floor: borrow("floor", 0),
  group_by: define(lists.groupBy, 1),
  has: define(lists.has, 1, 2),
  join: define(lists.join, 0, 1),
  json: define(toJson, 0),
  last: define(lists.last, 0),
  lstrip: borrow("lstrip", 0),
  map: define(lists.map, 1),
  minus: define(numbers.minus, 1),
  modulo: define(numbers.modulo, 1),
  money: define(money, 0, 2),
  newline_to_br: { ...define(newlineToBr, 0), raw: true },
  normalize_whitespace: borrow("normalize_whitespace", 0),
  number_of_words: borrow("number_of_words", 0, 1),
  pluralize: define((_run, value, one, many) => (Math.abs(Number(toPlain(value))) === 1 ? one : many), 2),
  plus: define(numbers.plus, 1),
  pop: borrow("pop", 0),
  prepend: borrow("prepend", 1),
  push: borrow("push", 1),
  reject: define(lists.reject, 1, 2),
  remove: borrow("remove", 1),
  remove_first: borrow("remove_first", 1),
  remove_last: borrow("remove_last", 1),
  replace: borrow("replace", 1, 2),
  replace_first: borrow("replace_first", 1, 2),
  replace_last: borrow("replace_last", 2),
  reverse: define(lists.reverse, 0),
  round: borrow("round", 0, 1),
  rstrip: borrow("rstrip", 0),
  shift: borrow("shift", 0),
  size: define(lists.size, 0),
  slice: define(lists.slice, 1, 2),
  slugify: borrow("slugify", 0, 2),
  sort: define(lists.sort, 0, 1),
  sort_natural: define(lists.sortNatural, 0, 1),
  split: define(split, 1),
  squish: borrow("squish", 0),
  strip: borrow("strip", 0),
  strip_html: borrow("strip_html", 0),
  strip_newlines: borrow("strip_newlines", 0),
  sum: define(lists.sum, 0, 1),
  times: define(numbers.times, 1),
  to_integer: borrow("to_integer", 0),
  truncate: borrow("truncate", 0, 2),
  truncatewords: define(truncateWords, 0, 2),
  uniq: define(lists.uniq, 0, 1),
  unshift: borrow("unshift", 1),
  upcase: borrow("upcase", 0),
  uri_escape: borrowText("uri_escape"),
  url_decode: define(decodeUrl, 0),
  url_encode: borrowText("url_encode"),
  where: define(lists.where, 1, 2),
};

/** Filters that templates cannot call, for these are no names: what is put on values because of where they stand. */
export const BOUND = "range bound";
export const STYLED: { readonly [place in StylePlace]: string } = { value: "style value", url: "style url" };

/** Those, too. */
export const ALL_FILTERS: { readonly [name: string]: Filter } = {
  ...FILTERS,
  [BOUND]: define((_run, value) => toBound(value), 0),
  [STYLED.value]: { ...define(toStyleValue, 0), raw: true },
  [STYLED.url]: { ...define(toStyleUrl, 0), raw: true },
};

function define(apply: Apply, least: number, most = least): Filter {
  return { apply, least, most };
}

/** liquidjs' own, of those that look at nothing but their arguments and at a memory limit. */
function borrow(name: keyof typeof borrowed, least: number, most?: number): Filter {
  const handler = borrowed[name] as (this: object, ...args: unknown[]) => unknown;
  return define((run, ...args) => handler.apply(run.host, args), least, most);
}

/** Those that stop at half a character. */
function borrowText(name: keyof typeof borrowed): Filter {
  const { apply } = borrow(name, 0);
  return define((run, value) => apply(run, toText(run, value).replace(HALVES, "\ufffd")), 0);
}

/** What is not encoded stays as it is. */
function decodeUrl(run: Run, value: unknown): string {
  const text = toText(run, value);
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

function toJson(run: Run, value: unknown): string | undefined {
  const json = JSON.stringify(value) as string | undefined;
  run.use(json?.length ?? 0);
  return json;
}

function orDefault(_run: Run, value: unknown, otherwise?: unknown, allowFalse?: unknown): unknown {
  const plain = toPlain(value);
  if (plain === false && Array.isArray(allowFalse) && isTruthy(allowFalse[1])) return false;
  return !isTruthy(plain) || sizeOf(plain) === 0 ? otherwise : value;
}

function truncateWords(run: Run, value: unknown, ...args: unknown[]): unknown {
  const [count, end] = args.map(toPlain);
  if (args.length > 0 && typeof count !== "number" && !Number(count)) throw new Error("truncatewords takes a number");
  return TRUNCATE_WORDS.apply(run, value, ...args.slice(0, 1), ...(args.length > 1 ? [end ?? ""] : []));
}

/** At spaces of any kind where it is split at a space. */
function split(run: Run, value: unknown, at: unknown): string[] {
  const text = toText(run, value);
  const separator = toText(run, at);
  const parts = separator === " " ? text.trim().split(/\s+/) : text.split(separator);
  run.use(parts.length);
  while (parts.at(-1) === "") parts.pop();
  return parts;
}

function base64UrlEncode(run: Run, value: unknown): string {
  const base64 = FILTERS["base64_encode"]!.apply(run, value) as string;
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

function base64UrlDecode(run: Run, value: unknown): unknown {
  return FILTERS["base64_decode"]!.apply(run, toText(run, value).replaceAll("-", "+").replaceAll("_", "/"));
}
