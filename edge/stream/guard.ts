/**
 * Keeps HTMLRewriter within its memory, over which it breaks the page off: it holds a tag until its end, and every element whose end
 * it has not seen, and knows nothing of ends that may be left out. A page that comes near that goes on as it comes.
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

export interface Guarded {
  body: ReadableStream;
  /** The rest of the page passed the parser by: what stands there now is no place to write at. */
  isBypassed(): boolean;
}

/** @param page has not been read */
export function guardParser(page: Response, rewriter: HTMLRewriter): Guarded {
  if (isSafe(page.headers)) return { body: rewriter.transform(page).body!, isBypassed: () => false };

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

/** Whether the page says that it is small, as it is and not packed. */
function isSafe(headers: Headers): boolean {
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

/** @returns says of the next bytes whether they may be more than the parser can hold */
function watchMarkup(): (bytes: Uint8Array) => boolean {
  let open = 0;
  let since = 0;
  return (bytes) => {
    for (let at = bytes.indexOf(LESS); at >= 0; at = bytes.indexOf(LESS, at + 1))
      open += bytes[at + 1] === SLASH ? -1 : 1;
    const last = bytes.lastIndexOf(GREATER);
    since = last < 0 ? since + bytes.length : bytes.length - last;
    return open > OPEN_ELEMENTS || since > TAG_BYTES;
  };
}
