/** What a block has to fulfil to be saved, and to be live. */
import type { Variant } from "../../shared/manifest.ts";
import { checkTemplate } from "../blocks/liquid.ts";
import type { Block, BlockBody, BlockVersion } from "../db/blocks.ts";
import { type SegmentRow, selectSegments, toSegment } from "../db/segments.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { checkReferences } from "../segments/references.ts";
import { type ApiContext, siteOf } from "./app.ts";
import { parseCondition } from "./condition.ts";

export interface BlockInput {
  variants: { key: string; audience: unknown; template: string }[];
  fallback: string | null;
}

/** Checks templates, audiences and what they refer to. @throws Problem with a pointer for each thing that is wrong. */
export async function checkBody(c: ApiContext, input: BlockInput, live: boolean): Promise<BlockBody> {
  checkTemplates(input);
  const variants: Variant[] = input.variants.map(({ key, audience, template }, index) => ({
    key,
    audience: audience === null ? null : parseCondition(audience, `/variants/${index}/audience`),
    template,
  }));
  await checkAudiences(c, variants, live);
  return { variants, fallback: input.fallback };
}

function checkTemplates({ variants, fallback }: BlockInput): void {
  const errors: ProblemError[] = [];
  const keys = new Set<string>();
  variants.forEach(({ key, template }, index) => {
    if (keys.has(key)) {
      const pointer = `/variants/${index}/key`;
      throw new Problem("invalid-request", `Two variants have the key ${key}.`, {
        errors: [{ pointer, code: "duplicate", detail: `Another variant has the key ${key}.` }],
      });
    }
    keys.add(key);
    collect(template, `/variants/${index}/template`);
  });
  if (fallback !== null) collect(fallback, "/fallback");
  if (errors.length) throw new Problem("invalid-template", errors[0]!.detail, { errors });

  function collect(source: string, pointer: string): void {
    const checked = checkTemplate(source);
    if ("errors" in checked) errors.push(...checked.errors.map((error) => ({ ...error, pointer })));
  }
}

async function checkAudiences(c: ApiContext, variants: readonly Variant[], live: boolean): Promise<void> {
  if (!variants.some(({ audience }) => audience)) return;
  const { results } = await selectSegments(c.env.DB, siteOf(c)).all<SegmentRow>();
  const segments = results.map(toSegment);
  const errors = variants.flatMap(({ audience }, index) =>
    audience ? checkReferences(audience, segments, { self: null, live, pointer: `/variants/${index}/audience` }) : [],
  );
  if (errors.length) throw new Problem("invalid-condition", errors[0]!.detail, { errors });
}

/** What is about to be live: its segments are active. */
export async function checkLive(c: ApiContext, block: Block | BlockVersion): Promise<void> {
  await checkAudiences(c, block.variants, true);
}
