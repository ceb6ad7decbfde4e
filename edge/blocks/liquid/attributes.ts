/** Reads the attributes of HTML as a browser's tokenizer finds them: quotes in text, comments and other values do not confuse it. */

// Comments, what is taken for one, and the beginning of a tag: of one that ends an element, with its slash.
const TAG = /<!--(?:-?>|[\s\S]*?(?:--!?>|$))|<(?:[!?]|\/(?![a-z]))[^>]*>?|<(\/?[a-z][^\t\n\f\r />]*)/gi;
// An attribute with its value in double, single or no quotes, or the end of the tag. What is not closed runs to the end.
const ATTRIBUTE =
  /[\t\n\f\r /]*(?:(>)|([^\t\n\f\r />][^\t\n\f\r />=]*)(?:([\t\n\f\r ]*=[\t\n\f\r ]*)(?:"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\t\n\f\r >]+))?)?)/gy;
const RAW_TEXT = /^(?:script|style|textarea|title|iframe|noscript|noembed|noframes|xmp|plaintext)$/;

export interface Attribute {
  /** In lower case. */
  name: string;
  /** As written, without quotes; entities are not decoded. */
  value: string;
  /** Where the value begins and ends, quotes included. */
  start: number;
  end: number;
}

export interface Element {
  /** In lower case. */
  name: string;
  /** Where its tag begins. */
  start: number;
  /** Those that have a value, in order. */
  attributes: Attribute[];
}

/** Every attribute that has a value, in order. */
export function* readAttributes(html: string): Generator<Attribute> {
  for (const { attributes } of readElements(html)) yield* attributes;
}

/** Every element's opening tag, in order. */
export function* readElements(html: string): Generator<Element> {
  for (const tag of readTags(html)) if (!tag.isEnd) yield tag;
}

/** Of an element, where it begins or ends. */
export interface Tag extends Element {
  isEnd: boolean;
  /** Its tag ends in `/>`. */
  hasSlash: boolean;
}

/** Every tag, in order. */
export function* readTags(html: string): Generator<Tag> {
  TAG.lastIndex = 0;
  for (let tag = TAG.exec(html); tag; tag = TAG.exec(html)) {
    // Both expressions keep their place in `lastIndex`, which whoever reads meanwhile would move.
    let at = TAG.lastIndex;
    const element = tag[1]?.toLowerCase();
    if (element === undefined) continue;
    const attributes: Attribute[] = [];
    for (;;) {
      ATTRIBUTE.lastIndex = at;
      const match = ATTRIBUTE.exec(html);
      if (!match) break;
      at = ATTRIBUTE.lastIndex;
      const [whole, close, name, equals, double, single, bare] = match;
      if (close !== undefined || name === undefined) break;
      if (equals === undefined) continue;
      const value = double ?? single ?? bare ?? "";
      const start = match.index + whole.indexOf(equals, whole.indexOf(name) + name.length) + equals.length;
      attributes.push({ name: name.toLowerCase(), value, start, end: at });
    }
    const isEnd = element.startsWith("/");
    const name = isEnd ? element.slice(1) : element;
    yield { name, start: tag.index, attributes, isEnd, hasSlash: html.startsWith("/>", at - 2) };
    if (RAW_TEXT.test(element)) at = endOfRawText(html, element, at);
    TAG.lastIndex = at;
  }
}

function endOfRawText(html: string, element: string, from: number): number {
  const end = new RegExp(`</${element}(?=[\\t\\n\\f\\r />])`, "gi");
  end.lastIndex = from;
  return end.exec(html)?.index ?? html.length;
}
