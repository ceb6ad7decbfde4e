/** What a block has to fulfil to be saved, and to be live. */
import type { ManifestBlock, Variant } from "../../shared/manifest.ts";
import type { Press } from "../../shared/press.ts";
import { trySamples } from "../blocks/checks/samples.ts";
import { textsOf } from "../blocks/checks/texts.ts";
import { checkUrlText } from "../blocks/checks/url.ts";
import { checkTemplate, checkText } from "../blocks/liquid.ts";
import { compileMjml, sayWhere } from "../blocks/mjml.ts";
import {
  type Block,
  type BlockBody,
  type BlockVersion,
  type BlockVersionRow,
  selectLiveBlocks,
  toBlockVersion,
} from "../db/blocks.ts";
import { type Segment, type SegmentRow, selectSegments, toSegment } from "../db/segments.ts";
import { type Site, type SiteRow, selectSite, toSite } from "../db/sites.ts";
import { boundsOf } from "../manifest/slot.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { checkReferences } from "../segments/references.ts";
import { type ApiContext, siteOf } from "./app.ts";
import { type BlockInput, toBody } from "./block-body.ts";
import { parseCondition } from "./condition.ts";

/** D1 keeps no more than 2 MB in a row: what was written is there, too. */
const COMPILED_BYTES = 1_000_000;

/** What of a site a block is checked against, as it is saved. */
export interface Surroundings {
  site: Site;
  segments: Segment[];
  /** All blocks that are live. */
  published: ManifestBlock[];
}

export async function readSurroundings(c: ApiContext): Promise<Surroundings> {
  const { DB } = c.env;
  const siteId = siteOf(c);
  const [sites, segments, blocks] = await DB.batch([
    selectSite(DB, siteId),
    selectSegments(DB, siteId),
    selectLiveBlocks(DB, siteId),
  ]);
  const row = sites!.results[0] as SiteRow | undefined;
  if (!row) throw new Problem("not-found", "The site is gone.");
  return {
    site: toSite(row),
    segments: (segments!.results as SegmentRow[]).map(toSegment),
    published: (blocks!.results as BlockVersionRow[]).map(toBlockVersion),
  };
}

/** Checks what was written and what it refers to, and compiles it. @throws Problem with a pointer for each thing that is wrong. */
export async function checkBody(
  input: BlockInput,
  { site, segments }: Surroundings,
  press: Press | undefined,
): Promise<BlockBody> {
  checkKeys(input);
  const audiences = input.variants.map(({ audience }, index) =>
    audience === null ? null : parseCondition(audience, `/variants/${index}/audience`),
  );
  const body = toBody(input, audiences);
  checkAudiences(body.variants, segments, false);
  checkSchedule(body, site.settings.timeZone);
  refuse("invalid-template", checkTexts(body));
  return input.format === "mjml" ? compileBody(body, press) : body;
}

/** What is about to be live: its segments are active, and all of it renders. @throws Problem with a pointer for each thing that is wrong. */
export function checkLive(block: Block | BlockVersion, { site, segments }: Surroundings, now: number): void {
  checkAudiences(block.variants, segments, true);
  const { timeZone } = site.settings;
  const errors = trySamples(textsOf(block), { id: site.id, name: site.name, timeZone }, { now, timeZone });
  refuse("invalid-template", sayWhere(block, errors));
}

function checkKeys({ variants }: BlockInput): void {
  const keys = new Set<string>();
  const errors = variants.flatMap(({ key }, index): ProblemError[] => {
    const detail = `Another variant has the key ${key}.`;
    return keys.size === keys.add(key).size ? [{ pointer: `/variants/${index}/key`, code: "duplicate", detail }] : [];
  });
  refuse("invalid-request", errors);
}

function checkAudiences(variants: readonly Variant[], segments: readonly Segment[], live: boolean): void {
  const errors = variants.flatMap(({ audience }, index) =>
    audience ? checkReferences(audience, segments, { self: null, live, pointer: `/variants/${index}/audience` }) : [],
  );
  refuse("invalid-condition", errors);
}

function checkSchedule({ schedule = {} }: BlockBody, timeZone: string): void {
  const { from, to } = boundsOf(schedule, timeZone);
  if (from < to) return;
  const detail = `It ends before it begins, as clocks show it in ${timeZone}.`;
  refuse("invalid-request", [{ pointer: "/schedule/to", code: "never-on", detail }]);
}

function checkTexts(body: BlockBody): ProblemError[] {
  return textsOf(body).flatMap(({ source, pointer, form }) => {
    const checked = form === "html" ? checkTemplate(source) : checkText(source);
    if ("errors" in checked) return checked.errors.map((error) => ({ ...error, pointer }));
    return form === "url" && checked.template.form === "text" ? checkUrlText(checked.template, pointer) : [];
  });
}

async function compileBody(body: BlockBody, press: Press | undefined): Promise<BlockBody> {
  if (!press) {
    const detail =
      "MJML is compiled by the press, a second Worker that is not deployed here: `npm run deploy` deploys both. Or write HTML.";
    throw new Problem("invalid-template", detail, { errors: [{ pointer: "/format", code: "no-press", detail }] });
  }
  const errors: ProblemError[] = [];
  const compile = async (source: string, pointer: string): Promise<string> => {
    const compiled = await compileMjml(press, source);
    if ("html" in compiled) return compiled.html;
    errors.push(...compiled.errors.map((error) => ({ ...error, pointer })));
    return "";
  };
  const variants = await Promise.all(
    body.variants.map(async (variant, index) => ({
      ...variant,
      template: await compile(variant.template, `/variants/${index}/template`),
    })),
  );
  const fallback = body.fallback === null ? null : await compile(body.fallback, "/fallback");
  const whole = [...variants.map(({ template }) => template), fallback ?? ""].join("");
  if (new TextEncoder().encode(whole).length > COMPILED_BYTES) {
    const detail = `Compiled, its templates are at most ${COMPILED_BYTES} bytes together: make fewer variants.`;
    errors.push({ pointer: "/variants", code: "too-large", detail });
  }
  refuse("invalid-template", errors);
  const mjml = { templates: body.variants.map(({ template }) => template), fallback: body.fallback };
  return { ...body, variants, fallback, mjml };
}

function refuse(slug: "invalid-request" | "invalid-condition" | "invalid-template", errors: ProblemError[]): void {
  if (errors.length) throw new Problem(slug, errors[0]!.detail, { errors });
}
