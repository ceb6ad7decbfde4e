/** The plain-text form of an e-mail's HTML: what it says, line by line. */
import { decodeEntities } from "./entities.ts";

/** They begin a line, and end it. */
const LINES = new Set(
  "address article aside dd details div dl dt fieldset figcaption figure footer form header li main nav section summary tr".split(
    " ",
  ),
);
/** They stand between empty lines. */
const PARAGRAPHS = new Set("blockquote h1 h2 h3 h4 h5 h6 hr ol p pre table ul".split(" "));
/** As a `<select>` is called where HTMLRewriter breaks off at what stands in it. */
const RENAMED = "x-select";
const SILENT = new Set(
  `script style head title template noscript object svg math select ${RENAMED} textarea`.split(" "),
);
const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
const CELL = " | ";

/** Links stand as `text (url)`, images as what they say, tables a row a line. Never throws on any HTML. */
export async function toPlainText(html: string): Promise<string> {
  const renamed = () => html.replace(/(<\/?)select(?=[\s/>])/gi, `$1${RENAMED}`);
  return (await readPage(html)) ?? (await readPage(renamed())) ?? dropTags(html);
}

/** Null where HTMLRewriter breaks off: elements that it does not understand, or too many of them. */
async function readPage(html: string): Promise<string | null> {
  const page = new Page();
  let piece = "";
  const rewriter = new HTMLRewriter().on("*", { element: (element) => onElement(element, page) }).onDocument({
    text: ({ text, lastInTextNode }) => {
      piece += text;
      if (!lastInTextNode) return;
      page.write(decodeEntities(piece));
      piece = "";
    },
  });
  try {
    await rewriter.transform(new Response(html)).arrayBuffer();
  } catch {
    return null;
  }
  return page.text;
}

function dropTags(html: string): string {
  return decodeEntities(html.replace(/<[^<>]*>?/g, " "))
    .replace(/\s+/g, " ")
    .trim();
}

function onElement(element: Element, page: Page): void {
  const { tagName: name } = element;
  const isVoid = VOID.has(name);
  const isSilent = SILENT.has(name) || /display\s*:\s*none/i.test(element.getAttribute("style") ?? "");
  const ends: (() => void)[] = [];
  if (isSilent && !isVoid) {
    page.silence(1);
    ends.push(() => page.silence(-1));
  }
  if (name === "br") page.breakLine();
  else if (name === "hr") page.paragraph("---");
  else if (name === "img") page.write(decodeEntities(element.getAttribute("alt") ?? ""));
  else if (name === "td" || name === "th") page.cell();
  else if (name === "a") {
    const href = decodeEntities(element.getAttribute("href") ?? "").trim();
    const start = page.mark();
    ends.push(() => page.link(start, href));
  } else if (LINES.has(name)) page.line();
  else if (PARAGRAPHS.has(name)) page.paragraph();
  if (LINES.has(name)) ends.push(() => page.line());
  if (PARAGRAPHS.has(name) && !isVoid) ends.push(() => page.paragraph());
  if (name === "ul" || name === "ol") {
    page.lists.push(name === "ol" ? Number(element.getAttribute("start") ?? 1) || 1 : null);
    ends.push(() => page.lists.pop());
  } else if (name === "li") page.item();
  else if (name === "pre") {
    page.preformatted++;
    ends.push(() => page.preformatted--);
  }
  if (ends.length && !isVoid) element.onEndTag(() => ends.forEach((end) => void end()));
}

/** Text as it grows: white space is written once something follows it. */
class Page {
  /** Of the lists that are open: the next number, or null for one without. */
  readonly lists: (number | null)[] = [];
  preformatted = 0;
  #text = "";
  /** What stands before the next word: line ends, or a space, or nothing. */
  #gap = "";
  #silent = 0;

  get text(): string {
    return this.#text;
  }

  write(text: string): void {
    if (this.#silent) return;
    const words = this.preformatted ? text : text.replace(/[ \t\n\r\f]+/g, " ");
    const said = this.preformatted ? words : words.trim();
    if (words.startsWith(" ")) this.#space();
    if (said) {
      this.#text +=
        (this.#text ? this.#gap : "") +
        said.replaceAll("\u00a0", " ").replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, "");
      this.#gap = "";
    }
    if (said && words.endsWith(" ")) this.#space();
  }

  silence(by: 1 | -1): void {
    this.#silent = Math.max(0, this.#silent + by);
  }

  /** Whatever follows stands on a new line. */
  line(): void {
    if (!this.#gap.includes("\n")) this.#gap = "\n";
  }

  breakLine(): void {
    this.#gap = this.#gap.includes("\n") ? "\n\n" : "\n";
  }

  paragraph(text = ""): void {
    this.#gap = "\n\n";
    if (!text) return;
    this.write(text);
    this.#gap = "\n\n";
  }

  item(): void {
    const number = this.lists.at(-1);
    const indent = "  ".repeat(Math.max(0, this.lists.length - 1));
    if (typeof number === "number") this.lists[this.lists.length - 1] = number + 1;
    if (this.#silent) return;
    this.line();
    this.#text += `${this.#text ? this.#gap : ""}${indent}${typeof number === "number" ? `${number}.` : "-"}`;
    this.#gap = " ";
  }

  /** The second cell of a row and those behind it, where they stand on one line. */
  cell(): void {
    if (this.#text && !this.#gap.includes("\n")) this.#gap = CELL;
  }

  mark(): number {
    return this.#text.length;
  }

  link(start: number, href: string): void {
    if (this.#silent || !/^(?:https?|mailto|tel):/i.test(href)) return;
    const said = this.#text.slice(start).trim();
    const url = href.replace(/^(?:mailto|tel):/i, "");
    if (said === url || said === href) return;
    this.write(said ? ` (${url})` : ` ${url}`);
  }

  #space(): void {
    if (!this.#gap) this.#gap = " ";
  }
}
