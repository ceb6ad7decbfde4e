/** Templates that are written in MJML: the press compiles them, what comes out of it is Liquid over HTML. */
import type { Press } from "../../shared/press.ts";
import type { BlockBody } from "../db/blocks.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { checkTemplate } from "./liquid.ts";

const MADE = "In the HTML that it becomes: ";

/**
 * Compiles a template whose Liquid is sound.
 *
 * @returns HTML, or what is wrong, at its line of the source where that can be told
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
  const made = checkTemplate(html);
  if ("template" in made) return { html };
  return {
    errors: made.errors.map((error) => ({ ...error, detail: MADE + error.detail })),
  };
}

/** What is said of a block's texts as they are published: of templates in MJML, lines are not the author's. */
export function sayWhere<Said extends Pick<ProblemError, "pointer" | "detail">>(
  { mjml }: BlockBody,
  said: readonly Said[],
): Said[] {
  const isMade = ({ pointer, detail }: Said) => /\/(?:template|fallback)$/.test(pointer) && detail.includes("(line ");
  return said.map((it) => (mjml && isMade(it) ? { ...it, detail: MADE + it.detail } : it));
}

/** A block with its templates as they were written. */
export function asWritten<Body extends BlockBody>(block: Body): Body {
  const { mjml } = block;
  if (!mjml) return block;
  const variants = block.variants.map((variant, index) => ({ ...variant, template: mjml.templates[index]! }));
  return { ...block, variants, fallback: mjml.fallback };
}
