/** What a rendering has to be given, and whether it may be shared: read off a template without rendering it. */
import { TokenKind } from "liquidjs";
import { valueOfArgument } from "./nodes.ts";
import type { FilterUse, Uses } from "./paths.ts";

/** What a template looks at. `personal`: what it makes may differ between two people. */
export interface Variables {
  personal: boolean;
  /** What it makes depends on the moment (`'now' | date`), so it is not kept. */
  timed: boolean;
  /** Top-level names of traits; null = any of them. */
  traits: string[] | null;
  /** Keys of segments; null = any of them. */
  segments: string[] | null;
  cart: boolean;
  recommendations: boolean;
  context: boolean;
}

/** Conversions of `date` whose words are the visitor's. */
const WORDS = /%[-_0^#:]*\d*[EO]?[aAbBhcxX]/;

/** Errs on the side of personal: names that a template makes are not told from those of the scope, which they may not hide. */
export function toVariables({ paths, filters }: Uses): Variables {
  const dates = filters.filter(({ name }) => name === "date");
  const found: Variables = {
    personal: false,
    timed: dates.some(readsClock),
    traits: [],
    segments: [],
    cart: false,
    recommendations: false,
    context: false,
  };
  if (dates.some(readsVisitor)) found.personal = found.context = true;
  for (const { segments } of paths) {
    const [root, child] = segments;
    if (root === "customer") {
      found.personal = true;
      found.traits = add(found.traits, child);
    } else if (root === "segment") {
      found.personal = true;
      found.segments = add(found.segments, child);
    } else if (root === "cart") found.personal = found.cart = true;
    else if (root === "product_recommendations") found.personal = found.recommendations = true;
    else if (root === "context") found.personal = found.context = true;
    else if (typeof root !== "string") {
      Object.assign(found, { personal: true, traits: null, segments: null });
      found.cart = found.recommendations = found.context = true;
    }
  }
  return found;
}

function add(names: string[] | null, name: unknown): string[] | null {
  if (names === null || typeof name !== "string") return null;
  return names.includes(name) ? names : [...names, name];
}

/** What is put together may be `now` as well. */
function readsClock({ input }: FilterUse): boolean {
  if (input?.kind === TokenKind.Number) return false;
  return input?.kind !== TokenKind.Quoted || input.content === "now" || input.content === "today";
}

/** Without a zone the time is told in the visitor's, without a format in the visitor's words. */
function readsVisitor({ args }: FilterUse): boolean {
  const [format, zone] = args.map(valueOfArgument);
  return !zone || format?.kind !== TokenKind.Quoted || WORDS.test(String(format.content));
}
