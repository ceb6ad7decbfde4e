/**
 * Regular expressions that are plain text in disguise: literals, alternatives, groups, small classes, `?`, `^` and `$`. A search for one
 * of those is a search for any of a few texts, so that nothing here ever runs a pattern that somebody wrote.
 */
import type { TextOperators } from "../../../shared/condition.ts";

/** One text to look for; at the start, at the end, or both, where it says so. */
interface Search {
  start: boolean;
  text: string;
  end: boolean;
}

const NOTHING: Search = { start: false, text: "", end: false };
const PATTERN_LENGTH = 1_000;
const SEARCHES = 32;

/** Operators of which some one holds for a text exactly where the pattern is found in it; undefined where none say that. */
export function readPattern(source: string, ignoreCase: boolean): TextOperators[] | undefined {
  const searches = source.length > PATTERN_LENGTH ? undefined : parse(source);
  if (!searches || (ignoreCase && !searches.every(isCaseless))) return undefined;
  const found = searches.map(({ text, ...ends }) =>
    toOperators({ ...ends, text: ignoreCase ? text.toLowerCase() : text }),
  );
  return ignoreCase ? found.map((lower) => ({ lower })) : found;
}

function toOperators({ start, text, end }: Search): TextOperators {
  if (start && end) return { eq: text };
  return start ? { startsWith: text } : end ? { endsWith: text } : { contains: text };
}

/**
 * Whether comparing in lower case finds what a pattern that ignores case does. Two letters outside ASCII have one of ASCII in their
 * lower case, and patterns tell them apart: the Kelvin sign (k), and the dotted İ, an i with a dot of its own behind it.
 */
const isCaseless = ({ text, end }: Search) => /^[ -~]*$/.test(text) && !/k/i.test(text) && (end || !/i$/i.test(text));

function parse(source: string): Search[] | undefined {
  let next = 0;
  let groups = 0;

  const readAlternatives = (): Search[] | undefined => {
    const alternatives: Search[] = [];
    do {
      const searches = readSequence();
      if (!searches) return undefined;
      alternatives.push(...searches);
      if (alternatives.length > SEARCHES) return undefined;
    } while (source[next] === "|" && next++ < source.length);
    return alternatives;
  };

  const readSequence = (): Search[] | undefined => {
    let searches: Search[] | undefined = [NOTHING];
    while (searches && next < source.length && !"|)".includes(source[next]!)) {
      const part: Search[] | undefined = isIdle(searches) ? [NOTHING] : readPart();
      searches = part && concatenate(searches, part);
    }
    return searches;
  };

  /** Passes over `.*` at either end of an alternative. Between its ends it would stop at the end of a line, as `*` in `like` does not. */
  const isIdle = (before: readonly Search[]): boolean => {
    const [dots] = /^\.\*\??/.exec(source.slice(next)) ?? [];
    if (!dots || groups > 0) return false;
    const after = source[next + dots.length];
    if (before[0] !== NOTHING && after !== undefined && after !== "|") return false;
    next += dots.length;
    return true;
  };

  const readPart = (): Search[] | undefined => {
    const char = source[next++]!;
    if (char === "^") return [{ ...NOTHING, start: true }];
    if (char === "$") return [{ ...NOTHING, end: true }];
    const part = char === "(" ? readGroup() : char === "[" ? readClass() : readLiteral(char);
    if (!part || source[next] !== "?") return part;
    next += source[next + 1] === "?" ? 2 : 1;
    return [...part, NOTHING];
  };

  const readGroup = (): Search[] | undefined => {
    if (source[next] === "?") {
      if (source[next + 1] !== ":") return undefined;
      next += 2;
    }
    groups++;
    const alternatives = readAlternatives();
    groups--;
    return source[next++] === ")" ? alternatives : undefined;
  };

  const readClass = (): Search[] | undefined => {
    const searches: Search[] = [];
    for (let char = source[next++]; char !== "]"; char = source[next++]) {
      if (char === undefined || "^-".includes(char)) return undefined;
      const literal = char === "\\" ? readLiteral(char) : [{ ...NOTHING, text: char }];
      if (!literal || searches.push(...literal) > SEARCHES) return undefined;
    }
    return searches.length ? searches : undefined;
  };

  const readLiteral = (char: string): Search[] | undefined => {
    if (char !== "\\") return ".*+?{}[]()|".includes(char) ? undefined : [{ ...NOTHING, text: char }];
    const escaped = source[next++];
    return escaped !== undefined && /[!-/:-@[-^`{-~]/.test(escaped) ? [{ ...NOTHING, text: escaped }] : undefined;
  };

  const searches = readAlternatives();
  return next === source.length ? searches : undefined;
}

/** One after the other; undefined where nothing could be found, or too much. */
function concatenate(before: readonly Search[], after: readonly Search[]): Search[] | undefined {
  if (before.length * after.length > SEARCHES) return undefined;
  const searches: Search[] = [];
  for (const a of before) {
    for (const b of after) {
      if ((b.start && (a.text || a.end)) || (a.end && (b.text || b.start))) return undefined;
      searches.push(b === NOTHING ? a : { start: a.start || b.start, text: a.text + b.text, end: a.end || b.end });
    }
  }
  return searches;
}
