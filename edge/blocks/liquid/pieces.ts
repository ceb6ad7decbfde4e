/** What a body is compiled of: text, what is written between, and values of URLs, which are looked over as a whole. */
import type { Node } from "./nodes.ts";
import type { UrlValue } from "./positions.ts";
import type { Run } from "./run.ts";
import { isSafeValue } from "./urls.ts";

export type Write = (run: Run) => void;

/** Where one stands in the source. */
export interface Quote {
  at: number;
  value: UrlValue;
}

/** What a node does, or a part of it: it writes this text, and then something. */
export interface Piece {
  text: string;
  write?: Write;
  steps: number;
  mayLeave?: boolean;
  /** It is one that the value of a URL stands in. */
  quote?: { value: UrlValue; mark: string };
}

/** In the order in which they stand in the source. */
export function toQuotes(urls: readonly UrlValue[]): Quote[] {
  const quotes = urls.flatMap((value) => [value.start, value.end].map((at) => ({ at, value })));
  return quotes.sort((a, b) => a.at - b.at);
}

/** The text of a piece of the page, and the quotes in it around URLs. */
export function cutAtQuotes({ token }: Node, text: string, quotes: readonly Quote[]): Omit<Piece, "steps">[] {
  const start = token.begin + token.trimLeft;
  const pieces: Omit<Piece, "steps">[] = [];
  let done = 0;
  for (let i = firstFrom(quotes, start); i < quotes.length && quotes[i]!.at < start + text.length; i++) {
    const { at, value } = quotes[i]!;
    // Two values that begin with one quote: the second finds it gone.
    if (at - start < done) continue;
    pieces.push({ text: text.slice(done, at - start) }, { text: "", quote: { value, mark: text[at - start]! } });
    done = at - start + 1;
  }
  return [...pieces, { text: text.slice(done) }];
}

/** The index of the first that stands there or further on. */
function firstFrom(quotes: readonly Quote[], at: number): number {
  let low = 0;
  let high = quotes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (quotes[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function writeUrl(writes: readonly Write[], mark: string): Write {
  return (run) => {
    const before = run.out;
    run.out = "";
    for (const write of writes) write(run);
    run.out = isSafeValue(run.out) ? before + mark + run.out + mark : `${before}"#"`;
  };
}

/** Text is written with what follows it. */
export function joinPieces(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const before = joined.at(-1);
    if (!before || before.write) joined.push({ ...piece });
    else {
      before.text += piece.text;
      before.steps += piece.steps;
      if (piece.write) before.write = piece.write;
    }
  }
  return joined;
}

export function toWrite({ text, write }: Piece): Write {
  if (!write) {
    return (run) => {
      run.out += text;
    };
  }
  if (text === "") return write;
  return (run) => {
    run.out += text;
    write(run);
  };
}

export function inTurn(writes: readonly Write[], steps: number): Write {
  const [first, second, ...more] = writes;
  if (!first) return (run) => run.step(steps);
  if (!second) {
    return (run) => {
      run.step(steps);
      first(run);
    };
  }
  if (!more.length) {
    return (run) => {
      run.step(steps);
      first(run);
      second(run);
    };
  }
  return (run) => {
    run.step(steps);
    for (let i = 0; i < writes.length; i++) writes[i]!(run);
  };
}
