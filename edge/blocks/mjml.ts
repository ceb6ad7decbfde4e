/** Templates that are written in MJML: compiled by the press, which knows nothing of Liquid. What comes out of it is Liquid over HTML. */
import type { BlockBody } from "../db/blocks.ts";
import type { Press } from "../env.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { placeOf } from "./checks/html.ts";
import { checkTemplate } from "./liquid.ts";

/**
 * Compiles a template whose Liquid is sound.
 *
 * @returns HTML, or what is wrong, at its place in the source where that can be told
 * @throws Problem `overloaded` where the press does not answer
 */
export async function compileMjml(
  press: Press,
  source: string,
): Promise<{ html: string } | { errors: ProblemError[] }> {
  const compiled = await press.compileMjml(source).catch(() => {
    throw new Problem("overloaded", "The press does not answer: try again.", { retryAfterSeconds: 2 });
  });
  if ("errors" in compiled) {
    const errors = compiled.errors.map(({ line, message }) => ({
      ...{ pointer: "", code: "mjml" },
      detail: line === undefined ? message : `${message} (line ${line})`,
    }));
    return { errors };
  }
  const { html } = compiled;
  const lost = findLost(source, html);
  if (lost) return { errors: [lost] };
  const made = checkTemplate(html);
  if ("template" in made) return { html };
  return {
    errors: made.errors.map((error) => ({ ...error, detail: `In the HTML that it becomes: ${error.detail}` })),
  };
}

/** A block with its templates as they were written. */
export function asWritten<Body extends BlockBody>(block: Body): Body {
  const { mjml } = block;
  if (!mjml) return block;
  const variants = block.variants.map((variant, index) => ({ ...variant, template: mjml.templates[index]! }));
  return { ...block, variants, fallback: mjml.fallback };
}

/** The first piece of Liquid that the HTML does not have: MJML drops text between its elements. */
function findLost(source: string, html: string): ProblemError | undefined {
  for (const { 0: liquid, index } of source.matchAll(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g)) {
    if (html.includes(liquid)) continue;
    const detail = `This Liquid is not in the HTML that it becomes (${placeOf(source, index)}): between elements, put it into <mj-raw>.`;
    return { pointer: "", code: "mjml", detail };
  }
  return undefined;
}
