/**
 * The one adapter over liquidjs: the dialect, its limits, what a template needs. Nothing else imports liquidjs.
 * Output is escaped by default, so what `render` answers is safe to insert; see liquid/positions.ts for where values may stand.
 */
import { Context, Liquid, type Template as LiquidNode, toValueSync } from "liquidjs";
import type { JsonObject } from "../../shared/event.ts";
import { TEMPLATE_BYTES } from "../../shared/limits.ts";
import type { ProblemError } from "../problem.ts";
import { escapeValue, FILTERS, REMOVED_FILTERS, writeValue } from "./liquid/filters.ts";
import { type Node, nodesOf } from "./liquid/nodes.ts";
import { type Path, readUses, type Uses, unknownOf } from "./liquid/paths.ts";
import { checkPositions } from "./liquid/positions.ts";
import { findUnsafeUrls, neutralizeUrls } from "./liquid/urls.ts";
import { toVariables, type Variables } from "./liquid/variables.ts";

export type { Path, Variables };

/** Each body of a loop, branch or template that is entered is one step. A clock would not do: in a Worker it stands still while code runs. */
const RENDER_STEPS = 20_000;
const OUTPUT_BYTES = 512 * 1024;
/** Characters and elements that filters may make in one rendering. */
const MEMORY = 2_000_000;
const TEMPLATE_DEPTH = 50;
const TOO_DEEP: ProblemError = {
  pointer: "",
  code: "too-deep",
  detail: `Tags nest at most ${TEMPLATE_DEPTH} deep.`,
};
const REMOVED_TAGS = ["include", "render", "layout", "block"];

/** What a template can name. Whatever is left out is empty. */
export interface Scope {
  customer?: JsonObject;
  segment?: { [key: string]: boolean };
  cart?: unknown;
  product_recommendations?: unknown;
  context?: JsonObject;
  site?: JsonObject;
}

export interface Moment {
  /** Epoch milliseconds: what `'now' | date` says. */
  now: number;
  /** IANA zone in which `date` writes. */
  timeZone: string;
}

interface Parsed {
  readonly source: string;
  readonly nodes: readonly Node[];
  readonly uses: Uses;
}

export interface Template extends Parsed {
  readonly form: "html";
  /** A value stands in an attribute that holds a URL. */
  readonly urls: boolean;
}

/** Its values are not escaped: what it makes is not HTML. */
export interface TextTemplate extends Parsed {
  readonly form: "text";
}

export type Rendered = { html: string; error?: undefined } | { html?: undefined; error: string };
export type RenderedText = { text: string; error?: undefined } | { text?: undefined; error: string };

const htmlLiquid = buildLiquid(escapeValue);
const textLiquid = buildLiquid(writeValue);

/** Parses a template, or says what is wrong and where. Never throws. */
export function checkTemplate(source: string): { template: Template } | { errors: ProblemError[] } {
  const parsed = parse(htmlLiquid, source);
  if ("errors" in parsed) return parsed;
  const { errors, urls } = checkPositions(source);
  errors.push(...checkUrls(source));
  return errors.length ? { errors } : { template: { form: "html", ...parsed, urls } };
}

/** The same for what is plain text: a link, a subject, the words of a card. Values may stand anywhere in it. */
export function checkText(source: string): { template: TextTemplate } | { errors: ProblemError[] } {
  const parsed = parse(textLiquid, source);
  return "errors" in parsed ? parsed : { template: { form: "text", ...parsed } };
}

/** Renders HTML that is safe to insert, or says why it could not. Never throws. */
export function render(template: Template, scope: Scope, moment: Moment): Rendered {
  const { text, error } = run(htmlLiquid, template, scope, moment);
  if (error !== undefined) return { error };
  return { html: template.urls ? neutralizeUrls(text) : text };
}

/** Renders text that is not to be inserted into HTML as it is, or says why it could not. Never throws. */
export function renderText(template: TextTemplate, scope: Scope, moment: Moment): RenderedText {
  return run(textLiquid, template, scope, moment);
}

function parse(liquid: Liquid, source: string): Parsed | { errors: ProblemError[] } {
  if (new TextEncoder().encode(source).length > TEMPLATE_BYTES) {
    return { errors: [{ pointer: "", code: "too-large", detail: `A template is at most ${TEMPLATE_BYTES} bytes.` }] };
  }
  if (depthOf(source) > TEMPLATE_DEPTH) return { errors: [TOO_DEEP] };
  try {
    const nodes = nodesOf(liquid.parse(source));
    return { source, nodes, uses: readUses(nodes, source) };
  } catch (error) {
    return { errors: [toProblemError(error)] };
  }
}

function run(liquid: Liquid, { nodes }: Parsed, scope: Scope, moment: Moment): RenderedText {
  let steps = 0;
  // liquidjs asks this limiter before each body and each node in it.
  const renderLimit = {
    check() {
      if (++steps > RENDER_STEPS) throw new Error("the template takes too many steps");
    },
  } as unknown as Context["renderLimit"];
  const output = new BoundedOutput();
  // `increment` writes into the scope: it gets one of its own.
  const environment = Object.assign(Object.create(null), scope);
  const options = { ...liquid.options, timezoneOffset: moment.timeZone };
  try {
    const context = new Context(
      environment,
      options,
      { sync: true, globals: Object.create(null) },
      { renderLimit, liquid },
    );
    context.setRegister("now", moment.now);
    toValueSync(liquid.renderer.renderTemplates(nodes as unknown as LiquidNode[], context, output));
  } catch (error) {
    return { error: error instanceof Error ? (error.message.split("\n")[0] ?? "failed") : "failed" };
  }
  return { text: output.buffer };
}

const variablesByTemplate = new WeakMap<Parsed, Variables>();

/** Static analysis, once per template. Errs on the side of personal. */
export function variablesOf(template: Template | TextTemplate): Variables {
  let variables = variablesByTemplate.get(template);
  if (!variables) {
    variables = toVariables(template.uses);
    variablesByTemplate.set(template, variables);
  }
  return variables;
}

/** Every value that a template looks at, in order, and where it stands in the source. */
export function pathsOf({ uses }: Template | TextTemplate): readonly Path[] {
  return uses.paths;
}

/** Those of its paths whose first name is neither in the scope nor made by the template itself. */
export function unknownPathsOf({ uses }: Template | TextTemplate): readonly Path[] {
  return unknownOf(uses);
}

class BoundedOutput {
  buffer = "";
  write(value: unknown): void {
    // Values come as text; the rest is what tags like `increment` write: numbers.
    this.buffer += typeof value === "string" ? value : escapeValue(value);
    if (this.buffer.length > OUTPUT_BYTES) throw new Error("the template writes too much");
  }
}

function buildLiquid(outputEscape: typeof escapeValue): Liquid {
  const liquid = new Liquid({
    strictFilters: true,
    ownPropertyOnly: true,
    outputEscape,
    memoryLimit: MEMORY,
    parseLimit: TEMPLATE_BYTES,
    jsTruthy: false,
    locale: "en",
    // Nothing is ever loaded: the tags that would are gone, and this is what is left for anything overlooked.
    templates: {},
  });
  for (const tag of REMOVED_TAGS) delete liquid.tags[tag];
  for (const filter of REMOVED_FILTERS) liquid.unregisterFilter(filter);
  for (const [name, filter] of Object.entries(FILTERS)) liquid.registerFilter(name, filter);
  return liquid;
}

/** URLs that the author wrote; what a value makes of one is seen when it is rendered. */
function checkUrls(source: string): ProblemError[] {
  const html = source.replace(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g, (liquid) => liquid.replace(/[^\n]/g, " "));
  return findUnsafeUrls(html).map((at) => {
    const before = source.slice(0, at).split("\n");
    const where = `line ${before.length}, column ${before.at(-1)!.length + 1}`;
    return { pointer: "", code: "unsafe-url", detail: `A URL of this kind is not allowed (${where}).` };
  });
}

/** How deep tags nest, as written: enough to refuse what would exhaust the parser's stack. */
function depthOf(source: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [, end] of source.matchAll(/\{%-?\s*(end)?(?:if|unless|case|for|tablerow|capture)\b/g)) {
    depth += end ? -1 : 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

interface Positioned {
  token?: { getPosition?: () => [number, number] };
}

function toProblemError(error: unknown): ProblemError {
  const position = (error as Positioned).token?.getPosition?.();
  const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "it cannot be parsed";
  if (error instanceof RangeError)
    return { pointer: "", code: "too-deep", detail: "The template is nested too deeply." };
  const what = message.replace(/, line:\d+, col:\d+$/, "");
  const where = position ? ` (line ${position[0]}, column ${position[1]})` : "";
  return { pointer: "", code: "liquid-syntax", detail: `${what}${where}` };
}
