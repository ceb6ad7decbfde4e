/**
 * The one adapter over liquidjs: the dialect, its limits, what a template needs. Nothing else imports liquidjs.
 * Output is escaped by default, so what `render` answers is safe to insert; see liquid/positions.ts for where values may stand.
 */
import type { Liquid } from "liquidjs";
import { TEMPLATE_BYTES } from "../../shared/limits.ts";
import type { ProblemError } from "../problem.ts";
import { type Compiled, compile, UNSET } from "./liquid/compile.ts";
import { type Endless, findEndless } from "./liquid/endless.ts";
import { escapeHtml } from "./liquid/html.ts";
import { buildLiquid, interpret } from "./liquid/interpret.ts";
import { LimitError } from "./liquid/limits.ts";
import { askMeant } from "./liquid/meant.ts";
import { type Node, nodesOf, weightOf } from "./liquid/nodes.ts";
import { type Path, readUses, type Uses, unknownOf } from "./liquid/paths.ts";
import { checkPositions, type UrlValue } from "./liquid/positions.ts";
import { prepare } from "./liquid/prepare.ts";
import { type Moment, Run, type Scope } from "./liquid/run.ts";
import type { StylePlace } from "./liquid/styles.ts";
import { findUnsafeUrls, neutralizeUrls } from "./liquid/urls.ts";
import { toVariables, type Variables } from "./liquid/variables.ts";

export type { Moment, Path, Scope, Variables };

const TEMPLATE_DEPTH = 50;
const TOO_LARGE: ProblemError = {
  pointer: "",
  code: "too-large",
  detail: `A template is at most ${TEMPLATE_BYTES} bytes.`,
};
const TOO_DEEP: ProblemError = {
  pointer: "",
  code: "too-deep",
  detail: `Tags nest at most ${TEMPLATE_DEPTH} deep.`,
};
interface Parsed {
  readonly source: string;
  readonly nodes: readonly Node[];
  readonly uses: Uses;
  /** Steps that a node takes. */
  readonly weight: number;
  /** Null where liquidjs renders it. */
  readonly compiled: Compiled | null;
}

export interface Template extends Parsed {
  readonly form: "html";
}

/** Its values are not escaped: what it makes is not HTML. */
export interface TextTemplate extends Parsed {
  readonly form: "text";
}

export type Rendered = { html: string; error?: undefined } | { html?: undefined; error: string };
export type RenderedText = { text: string; error?: undefined } | { text?: undefined; error: string };

const htmlForm = buildForm(escapeHtml);
const textForm = buildForm((text) => text);

/** How values reach the page: for liquidjs and for the compiler. */
interface Form {
  liquid: Liquid;
  escapeText(text: string): string;
}

function buildForm(escapeText: (text: string) => string): Form {
  return { liquid: buildLiquid(escapeText), escapeText };
}

/** Parses a template, or says what is wrong and where. Never throws. */
export function checkTemplate(source: string): { template: Template } | { errors: ProblemError[] } {
  if (isTooLarge(source)) return { errors: [TOO_LARGE] };
  const { errors, urls, styled } = checkPositions(source);
  const parsed = parse(htmlForm, source, urls, styled);
  if ("errors" in parsed) return parsed;
  errors.push(...checkUrls(source));
  return errors.length ? { errors } : { template: { form: "html", ...parsed } };
}

/** The same for what is plain text: a link, a subject, the words of a card. Values may stand anywhere in it. */
export function checkText(source: string): { template: TextTemplate } | { errors: ProblemError[] } {
  if (isTooLarge(source)) return { errors: [TOO_LARGE] };
  const parsed = parse(textForm, source, [], new Map());
  return "errors" in parsed ? parsed : { template: { form: "text", ...parsed } };
}

/** Renders HTML that is safe to insert, or says why it could not. Never throws. */
export function render(template: Template, scope: Scope, moment: Moment): Rendered {
  const { text, error } = renderWith(htmlForm, template, scope, moment);
  if (error !== undefined) return { error };
  return { html: template.compiled?.checksUrls ? text : neutralizeUrls(text) };
}

/** Renders text that is not to be inserted into HTML as it is, or says why it could not. Never throws. */
export function renderText(template: TextTemplate, scope: Scope, moment: Moment): RenderedText {
  return renderWith(textForm, template, scope, moment);
}

/** Why a rendering stops, and where in the template, as far as that is known: a second rendering, by liquidjs. */
export function explainStop(template: Template | TextTemplate, scope: Scope, moment: Moment): string | undefined {
  const form = template.form === "html" ? htmlForm : textForm;
  const { error } = renderWith(form, { ...template, compiled: null }, scope, moment);
  return error?.replace(/, line:(\d+), col:(\d+)$/, " (line $1, column $2)");
}

function isTooLarge(source: string): boolean {
  return source.length > TEMPLATE_BYTES || new TextEncoder().encode(source).length > TEMPLATE_BYTES;
}

function parse(
  { liquid, escapeText }: Form,
  source: string,
  urls: readonly UrlValue[] | null,
  styled: ReadonlyMap<number, StylePlace>,
): Parsed | { errors: ProblemError[] } {
  if (depthOf(source) > TEMPLATE_DEPTH) return { errors: [TOO_DEEP] };
  try {
    const nodes = nodesOf(liquid.parse(source));
    prepare(nodes, liquid, styled);
    const weight = weightOf(nodes);
    return { source, nodes, uses: readUses(nodes, source), weight, compiled: compile(nodes, escapeText, weight, urls) };
  } catch (error) {
    return { errors: [toProblemError(error)] };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "failed") : "failed";
}

function renderWith(form: Form, template: Parsed, scope: Scope, moment: Moment): RenderedText {
  const { compiled, nodes, weight } = template;
  const run = new Run(scope, moment, compiled ? new Array(compiled.names).fill(UNSET) : []);
  try {
    if (!compiled) interpret(form.liquid, nodes, run, weight);
    else {
      if (compiled.counts) run.scope = Object.assign(Object.create(null), scope);
      compiled.write(run);
    }
    run.checkOutput();
  } catch (error) {
    if (!compiled || error instanceof LimitError) return { error: messageOf(error) };
    // liquidjs knows where it was.
    return { error: renderWith(form, { ...template, compiled: null }, scope, moment).error ?? messageOf(error) };
  }
  return { text: run.out };
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

/** Loops that, wherever somebody is led into them, stop the rendering. */
export function endlessLoopsOf({ nodes }: Template | TextTemplate): Endless[] {
  return findEndless(nodes);
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
  return { pointer: "", code: "liquid-syntax", detail: `${what}${where}${askMeant(what)}` };
}
