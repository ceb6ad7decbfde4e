/** Folds facts about a person: per identifier and source, then into the one value that rules and templates see. */
import type { JsonObject } from "../../shared/event.ts";
import { type Identifier, isStorable } from "../../shared/identifier.ts";
import { NAME_LENGTH, TRAITS_CHARACTERS, TRAITS_PER_IDENTIFIER } from "../../shared/limits.ts";
import type { TraitFacts, TraitRow } from "../db/traits.ts";

/** Where a trait's value comes from. */
export interface TraitSource {
  identifier: Identifier;
  source: string;
  at: number;
  messageId: string;
}

/** What one identifier and source says of a trait; null = that it is unset. */
export interface TraitFact extends TraitSource {
  value: unknown;
}

type Fact = TraitFacts[string];

/** The newer fact; of two at the same time the one with the greater message id, so that order of arrival is nothing. */
function isNewer(a: Fact, b: Fact): boolean {
  return a[1] > b[1] || (a[1] === b[1] && a[2] > b[2]);
}

/** True for what can be the name of a trait: not empty, not too long, given back by every store as it was. */
export function isTraitName(name: string): boolean {
  return name !== "" && name.length <= NAME_LENGTH && isStorable(name);
}

/** Names of traits that a message says and that are not kept. */
export interface LeftOut {
  /** They cannot be names. */
  unnamed: string[];
  /** There was no room. */
  full: string[];
}

/**
 * Adds what one message says, as far as there is room. Where there is none, what is known stays, but for unset traits: the
 * longest unset go first.
 *
 * @returns `facts` itself where nothing is new
 */
export function applyTraits(
  facts: TraitFacts,
  traits: JsonObject,
  at: number,
  messageId: string,
): { facts: TraitFacts; leftOut: LeftOut } {
  const leftOut: LeftOut = { unnamed: [], full: [] };
  const result = new Map<string, Fact>(Object.entries(facts));
  let characters = JSON.stringify(facts).length;
  let unset: string[] | undefined;
  let isChanged = false;
  for (const [trait, value] of Object.entries(traits)) {
    if (!isTraitName(trait)) {
      leftOut.unnamed.push(trait);
      continue;
    }
    // As it is read again: JSON has no endless numbers.
    const fact: Fact = JSON.parse(JSON.stringify([value, at, messageId]));
    const known = result.get(trait);
    if (known && !isNewer(fact, known)) continue;
    const grown = sizeOf(trait, fact) - (known ? sizeOf(trait, known) : 0);
    const fits = () =>
      characters + grown <= TRAITS_CHARACTERS && (known !== undefined || result.size < TRAITS_PER_IDENTIFIER);
    while (!fits()) {
      unset ??= listUnset(result);
      const longest = unset.pop();
      if (longest === undefined) break;
      const forgotten = result.get(longest)!;
      if (longest === trait || forgotten[0] !== null) continue;
      characters -= sizeOf(longest, forgotten);
      result.delete(longest);
    }
    if (fits()) {
      characters += grown;
      result.set(trait, fact);
      isChanged = true;
    } else leftOut.full.push(trait);
  }
  return { facts: isChanged ? Object.fromEntries(result) : facts, leftOut };
}

/** Characters that it takes in the row. */
const sizeOf = (trait: string, fact: Fact) => JSON.stringify(trait).length + JSON.stringify(fact).length + 2;

/** The longest unset last. */
function listUnset(facts: Map<string, Fact>): string[] {
  const unset = [...facts].filter(([, fact]) => fact[0] === null);
  return unset.sort(([, a], [, b]) => (isNewer(a, b) ? -1 : 1)).map(([trait]) => trait);
}

/**
 * All that is said now, by trait; first of each the one that counts: the newest, at the same time that of the strongest
 * source, then that of the greatest message id. The order of the rows is nothing.
 *
 * @param sources the strongest first; others are weaker than all of them
 */
export function groupFacts(rows: Iterable<TraitRow>, sources: readonly string[]): Map<string, TraitFact[]> {
  const facts = new Map<string, TraitFact[]>();
  for (const { identifier, source, facts: said } of rows) {
    for (const [trait, [value, at, messageId]] of Object.entries(said)) {
      const fact = { value, identifier, source, at, messageId };
      const others = facts.get(trait);
      if (others) others.push(fact);
      else facts.set(trait, [fact]);
    }
  }
  const rankOf = ({ source }: TraitFact) => {
    const rank = sources.indexOf(source);
    return rank < 0 ? sources.length : rank;
  };
  for (const list of facts.values()) {
    if (list.length === 1) continue;
    list.sort(
      (a, b) =>
        b.at - a.at ||
        rankOf(a) - rankOf(b) ||
        compareText(b.messageId, a.messageId) ||
        compareText(b.source, a.source) ||
        compareText(b.identifier, a.identifier),
    );
  }
  return facts;
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The fact that counts of each trait; null unsets. The result has no prototype. @param sources see `groupFacts` */
export function foldTraits(
  rows: Iterable<TraitRow>,
  sources: readonly string[],
): { traits: JsonObject; sources: Map<string, TraitSource> } {
  const traits: JsonObject = Object.create(null);
  const origins = new Map<string, TraitSource>();
  for (const [trait, [counting]] of groupFacts(rows, sources)) {
    if (counting!.value === null) continue;
    traits[trait] = counting!.value;
    origins.set(trait, counting!);
  }
  return { traits, sources: origins };
}
