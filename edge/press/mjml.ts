/** MJML with Liquid in it → HTML with the same Liquid in it. */
import { MJML_BYTES, type MjmlError } from "../../shared/press.ts";
import { logFailure } from "./failure.ts";
import { type Hidden, hideLiquid, readComponents } from "./mjml-source.ts";

const ERRORS = 20;
/** Components that stand in a body, and in a section; all others stand in a column. */
const IN_BODY = /^mj-(section|wrapper|hero|raw)$/;
const IN_SECTION = /^mj-(column|group)$/;
/** Where the head's rules for whole documents end and those of the components begin. */
const HEAD_START = /\.mj-outlook-group-fix \{[^}]*\}\s*<\/style>\s*<!\[endif\]-->/;

/**
 * @param source a whole document, from `<mjml>` on; or components, which become what can be put inside an e-mail: their
 * tables, and before them the `<style>` that sets columns beside each other on wide screens
 * @returns never a rejection
 */
export async function compileMjml(source: unknown): Promise<{ html: string } | { errors: MjmlError[] }> {
  if (typeof source !== "string") return { errors: [{ message: "the source is not a string" }] };
  if (new TextEncoder().encode(source).length > MJML_BYTES) {
    return { errors: [{ message: `the source is longer than ${MJML_BYTES} bytes` }] };
  }
  try {
    return await compile(hideLiquid(source));
  } catch (error) {
    if (error instanceof RangeError) return { errors: [{ message: "components are nested too deeply" }] };
    logFailure("compileMjml", error);
    return { errors: [{ message: "MJML could not compile this" }] };
  }
}

async function compile(hidden: Hidden): Promise<{ html: string } | { errors: MjmlError[] }> {
  const read = readComponents(hidden);
  const fail = (errors: MjmlError[]) => ({
    errors: errors.slice(0, ERRORS).map((error) => ({ ...error, message: hidden.show(error.message) })),
  });
  if (read.errors.length) return fail(read.errors);
  const names = read.mjml.match(/(?<=<)mj[\w-]*/g);
  if (!names) return fail([{ message: "there is no component in it" }]);
  const first = names.find((name) => name !== "mj-raw") ?? names[0]!;
  const isDocument = first === "mjml";
  const toHtml = await loadMjml();
  const { html, errors } = await toHtml(isDocument ? read.mjml : wrap(read.mjml, first), {
    // Its own ones are fetched from a third party by whoever opens the e-mail.
    fonts: {},
  });
  // What Liquid will make of a value is not known yet.
  const isName = new RegExp(hidden.pattern);
  const known = errors.filter(({ message }) => !isName.test(message));
  if (known.length) return fail(known.map(({ line, message }) => ({ line, message })));
  // As indented as MJML writes it, it is half as long again.
  const out = (isDocument ? html : unwrap(html)).replace(/\s*\n\s*/g, "\n");
  const lost = hidden.findLost(out);
  return lost.length ? fail(lost) : { html: hidden.show(out) };
}

/** When first needed: cards do without. */
async function loadMjml() {
  // Where it looks for the global object once generating code was refused.
  Object.assign(globalThis, { window: globalThis });
  return (await import("mjml-browser")).default;
}

function wrap(mjml: string, first: string): string {
  const column = IN_BODY.test(first) || IN_SECTION.test(first) ? mjml : `<mj-column>${mjml}</mj-column>`;
  const section = IN_BODY.test(first) ? mjml : `<mj-section>${column}</mj-section>`;
  return `<mjml><mj-body>${section}</mj-body></mjml>`;
}

/** The styles of the components and what is inside the body's one element. */
function unwrap(html: string): string {
  const [, head = "", body = ""] =
    /^([\s\S]*?)<\/head>\s*<body[^>]*>\s*<div[^>]*>([\s\S]*)<\/div>\s*<\/body>/.exec(html) ?? [];
  const start = HEAD_START.exec(head);
  if (!start) throw new Error("MJML's head has changed");
  return `${head.slice(start.index + start[0].length)}\n${body}`.trim();
}
