/**
 * What MJML may see of a source: names stand in for its Liquid, and what MJML's parser would silently drop or guess is an
 * error.
 */
import type { MjmlError } from "../../shared/press.ts";

/** Output, tags, and whole stretches that Liquid itself does not look into. */
const LIQUID = /\{%-?\s*(raw|comment)\b[\s\S]*?\{%-?\s*end\1\s*-?%\}|\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;

export interface Hidden {
  /** The source, line by line as it was, with a name in place of each piece of Liquid. */
  text: string;
  /** Of a name. */
  pattern: string;
  /** Puts the Liquid back. */
  show(text: string): string;
  /** An error for each piece that is not in `text` any more. */
  findLost(text: string): MjmlError[];
}

export function hideLiquid(source: string): Hidden {
  let prefix = "liquid";
  while (source.includes(prefix)) prefix += "q";
  const pieces: { name: string; liquid: string; breaks: string; at: number }[] = [];
  const text = source.replace(LIQUID, (liquid, _, at: number) => {
    const name = `${prefix}${pieces.length}x`;
    const breaks = liquid.replace(/[^\n]+/g, "");
    pieces.push({ name, liquid, breaks, at });
    return name + breaks;
  });
  return {
    text,
    pattern: `${prefix}\\d+x`,
    show: (text) =>
      text.replace(new RegExp(`${prefix}(\\d+)x(\n*)`, "g"), (_, index: string, after: string) => {
        const { liquid, breaks } = pieces[Number(index)]!;
        return liquid + after.slice(breaks.length);
      }),
    findLost: (text) =>
      pieces
        .filter(({ name }) => !text.includes(name))
        .map(({ name, at }) => ({
          line: source.slice(0, at).split("\n").length,
          message: `MJML does not keep ${name} here: it computes with this value, or shows it nowhere`,
        })),
  };
}

/** Components that hold HTML in place of components. */
const OF_HTML = new Set(
  "accordion-text accordion-title button navbar-link preview raw social-element style table text title"
    .split(" ")
    .map((name) => `mj-${name}`),
);
/** Each image of a carousel brings rules for every other. */
const CAROUSEL_IMAGES = 20;

/**
 * Checks that components are closed in order, that no text stands between them, and wraps Liquid that does in `mj-raw`,
 * which MJML keeps.
 */
export function readComponents({ text, pattern }: Hidden): { mjml: string; errors: MjmlError[] } {
  const tokens = new RegExp(
    `<!--[\\s\\S]*?(?:-->|$)|<(/?)(mj[\\w-]*)((?:"[^"]*"|'[^']*'|[^"'<>])*)>|${pattern}|[^<\\s][^<\n]*`,
    "g",
  );
  const liquid = new RegExp(`^${pattern}$`);
  const errors: MjmlError[] = [];
  const open: { name: string; line: number }[] = [];
  let [line, seen, images] = [1, 0, 0];
  const fail = (message: string, at = line) => void errors.push({ line: at, message });
  const mjml = text.replace(tokens, (token, slash: string, name: string, attributes: string, at: number) => {
    for (; seen < at; seen++) if (text[seen] === "\n") line++;
    const inside = open.at(-1);
    const isHtml = inside !== undefined && OF_HTML.has(inside.name);
    if (isHtml && !(slash && name === inside.name)) return token;
    if (name && slash) {
      if (inside?.name === name) open.pop();
      else fail(`</${name}> closes nothing here${inside ? `: <${inside.name}> is open` : ""}`);
    } else if (name) {
      if (name === "mj-include") fail("mj-include reads files: there are none here");
      if (name === "mj-carousel-image" && ++images > CAROUSEL_IMAGES)
        fail(`more than ${CAROUSEL_IMAGES} mj-carousel-image`);
      if (!attributes.endsWith("/")) open.push({ name, line });
    } else if (!token.startsWith("<!--")) {
      if (liquid.test(token)) return `<mj-raw>${token}</mj-raw>`;
      const place = inside ? `in <${inside.name}>` : "outside of components";
      fail(`text or HTML stands ${place}: put it into mj-text or mj-raw`);
    }
    return token;
  });
  for (const { name, line } of open) fail(`<${name}> is not closed`, line);
  return { mjml, errors };
}
