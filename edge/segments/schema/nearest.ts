/** Which word was meant: for error messages. */

/** Words of other rule languages that no distance would find. */
const ALIASES: { readonly [word: string]: string } = {
  and: "all",
  or: "any",
  none: "not",
  equals: "eq",
  equal: "eq",
  is: "eq",
  notequals: "ne",
  neq: "ne",
  greater: "gt",
  greaterthan: "gt",
  less: "lt",
  lessthan: "lt",
  atleast: "gte",
  min: "gte",
  atmost: "lte",
  max: "lte",
  notin: "nin",
  oneof: "in",
  has: "contains",
  includes: "contains",
  matches: "like",
  glob: "like",
  regex: "like",
  average: "avg",
  total: "sum",
  unique: "distinct",
  since: "after",
  until: "before",
  filter: "where",
  properties: "where",
  name: "event",
  attribute: "trait",
  window: "within",
  semver: "version",
  length: "size",
  lowercase: "lower",
  typeof: "isA",
};

/** Longer words are far from everything. */
const LONGEST = 32;

/** The allowed word nearest to `word`, if any is near: an alias, or a letter in four away. */
export function nearest(word: string, allowed: readonly string[]): string | undefined {
  const plain = toPlain(word);
  const alias = Object.hasOwn(ALIASES, plain) ? ALIASES[plain] : undefined;
  if (alias && allowed.includes(alias)) return alias;
  if (plain.length > LONGEST) return undefined;
  const farthest = Math.max(1, Math.floor(plain.length / 4));
  const near = allowed
    .map((candidate) => ({ candidate, letters: toPlain(candidate) }))
    .filter(({ letters }) => Math.abs(letters.length - plain.length) <= farthest)
    .map(({ candidate, letters }) => ({ candidate, away: distance(plain, letters) }))
    .filter(({ away }) => away <= farthest)
    .sort((a, b) => a.away - b.away);
  return near[0]?.candidate;
}

function toPlain(word: string): string {
  return word.toLowerCase().replace(/[^a-z]/g, "");
}

/** Levenshtein's, and two neighbours that have changed places are one letter away: most slips of a finger are that. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(
        Math.min(
          row[j]! + 1,
          next[j - 1]! + 1,
          row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
          isSwap ? before[j - 2]! + 1 : Infinity,
        ),
      );
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
