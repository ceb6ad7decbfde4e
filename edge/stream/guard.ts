/**
 * Keeps HTMLRewriter within its memory, over which it breaks the page off: it holds a tag until its end, and every element whose end
 * it has not seen, and knows nothing of ends that may be left out. A page that comes near that goes on as it comes.
 */

/** It gives up at 3 MB of one tag, and at some 15,000 elements. */
const TAG_BYTES = 1_000_000;
const OPEN_ELEMENTS = 8_000;

const LESS = 0x3c;
const GREATER = 0x3e;
const SLASH = 0x2f;

export interface Guarded {
  body: ReadableStream;
  /** The rest of the page passed the parser by: what stands there now is no place to write at. */
  isBypassed(): boolean;
}

export function guardParser(page: Response, rewriter: HTMLRewriter): Guarded {
  const parsing = new TransformStream<Uint8Array, Uint8Array>();
  const type = page.headers.get("content-type")!;
  const parsed = rewriter.transform(new Response(parsing.readable, { headers: { "content-type": type } }));
  let isBypassed = false;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  // Whoever reads hears of what breaks off.
  pass().catch(() => {});
  return { body: readable, isBypassed: () => isBypassed };

  async function pass(): Promise<void> {
    // A page that does not come is no end of it, and nobody who reads is no reason to go on.
    const [fed] = await Promise.all([feed(), parsed.body!.pipeTo(writable, { preventClose: true })]);
    if (!fed) return writable.close();
    const writer = writable.getWriter();
    await writer.write(fed.chunk);
    writer.releaseLock();
    await fed.rest.pipeTo(writable);
  }

  /** @returns what the parser is not to see; undefined where it has seen all */
  async function feed(): Promise<{ chunk: Uint8Array; rest: ReadableStream<Uint8Array> } | undefined> {
    const reader = page.body!.getReader();
    const writer = parsing.writable.getWriter();
    const near = watchMarkup();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (near(value)) {
          isBypassed = true;
          reader.releaseLock();
          await writer.close();
          return { chunk: value, rest: page.body! };
        }
        await writer.write(value);
      }
      await writer.close();
      return undefined;
    } catch (error) {
      await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
      throw error;
    }
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
