/** Folds facts about a person: per identifier and source, then into the one value that rules and templates see. */
import type { JsonObject } from "../../shared/event.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { TRAITS_CHARACTERS, TRAITS_PER_IDENTIFIER } from "../../shared/limits.ts";
import type { TraitFacts, TraitRow } from "../db/traits.ts";

/** Where a trait's value comes from. */
export interface TraitSource {
  identifier: Identifier;
  source: string;
  at: number;
  messageId: string;
}

type Fact = TraitFacts[string];

/** The newer fact; of two at the same time the one with the greater message id, so that order of arrival is nothing. */
function isNewer(a: Fact, b: Fact): boolean {
  return a[1] > b[1] || (a[1] === b[1] && a[2] > b[2]);
}

/**
 * Adds what one message says.
 *
 * @returns the new facts, or null where they would be more than one identifier may hold
 */
export function applyTraits(facts: TraitFacts, traits: JsonObject, at: number, messageId: string): TraitFacts | null {
  const result = new Map<string, Fact>(Object.entries(facts));
  for (const [trait, value] of Object.entries(traits)) {
    const fact: Fact = [value, at, messageId];
    const known = result.get(trait);
    if (!known || isNewer(fact, known)) result.set(trait, fact);
  }
  if (result.size > TRAITS_PER_IDENTIFIER) return null;
  const applied = Object.fromEntries(result);
  return JSON.stringify(applied).length > TRAITS_CHARACTERS ? null : applied;
}

/** The newest fact per trait over all rows; null unsets. The result has no prototype. */
export function foldTraits(rows: Iterable<TraitRow>): { traits: JsonObject; sources: Map<string, TraitSource> } {
  const newest = new Map<string, { fact: Fact; row: TraitRow }>();
  for (const row of rows) {
    for (const [trait, fact] of Object.entries(row.facts)) {
      const known = newest.get(trait);
      if (!known || isNewer(fact, known.fact)) newest.set(trait, { fact, row });
    }
  }
  const traits: JsonObject = Object.create(null);
  const sources = new Map<string, TraitSource>();
  for (const [trait, { fact, row }] of newest) {
    if (fact[0] === null) continue;
    traits[trait] = fact[0];
    sources.set(trait, { identifier: row.identifier, source: row.source, at: fact[1], messageId: fact[2] });
  }
  return { traits, sources };
}
