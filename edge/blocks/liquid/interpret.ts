/** liquidjs as the dialect's parser, and as its renderer of what is not compiled. */
import { type Context, type FilterImplOptions, Liquid, type LiquidOptions, type Template, toValueSync } from "liquidjs";
import { TEMPLATE_BYTES } from "../../../shared/limits.ts";
import { RunContext, RunEmitter, runOf } from "./context.ts";
import { ALL_FILTERS, type Filter, TAGS } from "./dialect.ts";
import type { Node } from "./nodes.ts";
import { OPERATORS, type Operator } from "./operators.ts";
import type { Run } from "./run.ts";
import { BoundedCapture, BoundedFor, IfChanged, LeavingCase, NestedComment, Tablerow } from "./tags.ts";
import { take, toText } from "./values.ts";

interface FilterThis {
  context: Context;
}

/** @param escapeText makes what a page is given of a value's text */
export function buildLiquid(escapeText: (text: string) => string): Liquid {
  const outputEscape = function (this: FilterThis, value: unknown) {
    return escapeText(toText(runOf(this.context), value));
  };
  const liquid = new Liquid({
    strictFilters: true,
    ownPropertyOnly: true,
    outputEscape: outputEscape as LiquidOptions["outputEscape"] & {},
    operators: toNamed(OPERATORS, toOperator),
    parseLimit: TEMPLATE_BYTES,
    // Nothing is ever loaded: the tags that would are gone, and this is what is left for anything overlooked.
    templates: {},
  });
  liquid.registerTag("capture", BoundedCapture);
  liquid.registerTag("case", LeavingCase);
  liquid.registerTag("comment", NestedComment);
  liquid.registerTag("for", BoundedFor);
  liquid.registerTag("ifchanged", IfChanged);
  liquid.registerTag("tablerow", Tablerow);
  // Looked up by names of the author's: without a prototype there are no others.
  return Object.assign(liquid, {
    tags: toNamed(liquid.tags, (tag, name) => (TAGS.includes(name) ? tag : undefined)),
    filters: toNamed(ALL_FILTERS, toHandler),
  });
}

/** Renders into the run. @throws Error where a filter fails or a limit is reached. */
export function interpret(liquid: Liquid, nodes: readonly Node[], run: Run, weight: number): void {
  const context = new RunContext(run, liquid, weight);
  toValueSync(liquid.renderer.renderTemplates(nodes as unknown as Template[], context, new RunEmitter(run)));
}

function toHandler({ apply, raw }: Filter): FilterImplOptions {
  const handler = function (this: FilterThis, ...values: [unknown, ...unknown[]]) {
    const run = runOf(this.context);
    run.use(1);
    for (const value of values) take(run, value);
    return apply(run, ...values);
  };
  return raw ? { raw, handler } : handler;
}

/** liquidjs gives the context last. */
function toOperator(apply: Operator, name: string): (...operands: unknown[]) => boolean {
  return name === "not"
    ? (value, context) => apply(runOf(context as Context), value, undefined)
    : (left, right, context) => apply(runOf(context as Context), left, right);
}

function toNamed<T, U>(
  values: { readonly [name: string]: T },
  change: (value: T, name: string) => U,
): { [name: string]: U } {
  const entries = Object.entries(values).map(([name, value]) => [name, change(value, name)]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
