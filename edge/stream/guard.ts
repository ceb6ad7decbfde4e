/**
 * Keeps HTMLRewriter from what makes it break a page off: more than its memory, since it holds a tag until its end, and every element
 * whose end it has not seen, and knows nothing of ends that may be left out; and tags of which it cannot tell whether text follows.
 * A page that comes near that goes on as it comes.
 */

/** It gives up at 3 MB of one tag, and at some 15,000 elements. */
const TAG_BYTES = 1_000_000;
const OPEN_ELEMENTS = 8_000;

/** In so many neither fits: no element takes fewer than three. */
const SAFE_BYTES = 40_000;
/** Each step costs more than what is in it. */
const STEP_BYTES = 32_768;

const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;

/** What text follows, which a browser ignores inside a `<select>`: the parser does not know. */
const AMBIGUOUS = /<(\/?)(select|frameset|style|title|xmp|iframe|noembed|noframes|noscript|plaintext)(?=[\s/>]|$)/gi;
/** Longer than any of these, and the `<`: a tag may stand across two parts of a page. */
const TAG_CHARACTERS = 12;

export interface Guarded {
  body: ReadableStream;
  /** The rest of the page passed the parser by: what stands there now is no place to write at. */
  isBypassed(): boolean;
}

/**
 * A page that says that it is small is read whole: it need not be watched on its way.
 *
 * @returns `isParsable`: false where it is to be answered as it is
 * @throws where it breaks off
 */
export async function readSmall(page: Response): Promise<{ page: Response; isParsable: boolean }> {
  if (!isSmall(page.headers)) return { page, isParsable: true };
  const bytes = await page.arrayBuffer();
  return { page: new Response(bytes, page), isParsable: !watchTags()(new Uint8Array(bytes)) };
}

/** @param page as `readSmall` answers it */
export function guardParser(page: Response, rewriter: HTMLRewriter): Guarded {
  if (isSmall(page.headers)) return { body: rewriter.transform(page).body!, isBypassed: () => false };

  const type = page.headers.get("content-type")!;
  const parsing = new IdentityTransformStream();
  const passing = new IdentityTransformStream();
  const parsed = rewriter.transform(new Response(parsing.readable, { headers: { "content-type": type } }));
  const from = page.body!.getReader({ mode: "byob" });
  const parser = parsing.writable.getWriter();
  const out = parsed.body!.getReader({ mode: "byob" });
  const to = passing.writable.getWriter();
  let isBypassed = false;
  // A page that does not come is no end of it, and nobody who reads is no reason to go on. Whoever reads hears of it.
  pass().catch((error) =>
    Promise.allSettled([from.cancel(error), parser.abort(error), out.cancel(error), to.abort(error)]),
  );
  return { body: passing.readable, isBypassed: () => isBypassed };

  async function pass(): Promise<void> {
    const [held] = await Promise.all([feed(), pour(out, to)]);
    if (held) {
      await to.write(held);
      await pour(from, to);
    }
    await to.close();
  }

  /** @returns what the parser is not to see; undefined where it has seen all */
  async function feed(): Promise<Uint8Array | undefined> {
    const held = await pour(from, parser, watchMarkup());
    isBypassed = held !== undefined;
    await parser.close();
    return held;
  }
}

/** As it is, and not packed. */
function isSmall(headers: Headers): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= SAFE_BYTES && !headers.has("content-encoding");
}

/** @returns the bytes before which it stopped; undefined at the end */
async function pour(
  from: ReadableStreamBYOBReader,
  to: WritableStreamDefaultWriter<Uint8Array>,
  isEnough: (bytes: Uint8Array) => boolean = () => false,
): Promise<Uint8Array | undefined> {
  let buffer: ArrayBufferLike = new ArrayBuffer(STEP_BYTES);
  for (;;) {
    const { done, value }: ReadableStreamReadResult<Uint8Array> = await from.read(new Uint8Array(buffer));
    if (done) return undefined;
    if (isEnough(value)) return value;
    // Resolves when all of it is read: the buffer is free.
    await to.write(value);
    buffer = value.buffer;
  }
}

/** @returns says of the next bytes whether they may be more than the parser can take */
function watchMarkup(): (bytes: Uint8Array) => boolean {
  const isAmbiguous = watchTags();
  let open = 0;
  let since = 0;
  return (bytes) => {
    for (let at = bytes.indexOf(LESS); at >= 0; at = bytes.indexOf(LESS, at + 1))
      open += bytes[at + 1] === SLASH ? -1 : 1;
    const last = bytes.lastIndexOf(GREATER);
    since = last < 0 ? since + bytes.length : bytes.length - last;
    return open > OPEN_ELEMENTS || since > TAG_BYTES || isAmbiguous(bytes);
  };
}

/** @returns says of the next bytes whether there is a tag in them that the parser does not understand */
function watchTags(): (bytes: Uint8Array) => boolean {
  // Whatever the charset: those that a page may have write tags as ASCII does.
  const decoder = new TextDecoder("latin1");
  let tail = "";
  let isSelect = false;
  return (bytes) => {
    const text = tail + decoder.decode(bytes);
    tail = text.slice(-TAG_CHARACTERS);
    if (!isSelect && !/<(?:select|frameset)/i.test(text)) return false;
    for (const [, slash, name] of text.matchAll(AMBIGUOUS)) {
      if (name!.toLowerCase() === "select") isSelect = !slash;
      else if (!slash && (isSelect || name!.toLowerCase() === "frameset")) return true;
    }
    return false;
  };
}
