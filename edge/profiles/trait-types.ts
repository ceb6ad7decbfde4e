/**
 * Notices which JSON types a source sends of each trait. What this isolate knows to be noticed is not written again, so
 * that in the steady state nothing is.
 */
import type { Source } from "../../shared/identifier.ts";
import { type TraitType, type TraitTypeRow, TYPES_PER_SOURCE } from "../db/trait-types.ts";
import type { IngestEvent } from "../ingest/parse.ts";
import { isTraitName } from "./traits.ts";

/** Sites and sources that are remembered, the longest known forgotten first. */
const REMEMBERED = 32;

/** By site and source: type and trait. */
const known = new Map<string, Set<string>>();

/** The type of a value as JSON has it; null for what unsets, endless numbers among it. A date is a string: some strings only look like one. */
export function typeOf(value: unknown): TraitType | null {
  if (value === null || value === undefined || (typeof value === "number" && !Number.isFinite(value))) return null;
  return Array.isArray(value) ? "array" : (typeof value as TraitType);
}

/** What is to be written with the events, each type once; `markNoticed` it when that is done. */
export function noticeTypes(siteId: string, source: Source, events: readonly IngestEvent[]): TraitTypeRow[] {
  const noticed = known.get(nameOf(siteId, source));
  // Each of them is stored, or the store was full already.
  if (noticed && noticed.size >= TYPES_PER_SOURCE) return [];
  const rows = new Map<string, TraitTypeRow>();
  for (const { traits, messageId } of events) {
    for (const [trait, value] of Object.entries(traits)) {
      const type = typeOf(value);
      if (!type || !isTraitName(trait)) continue;
      const key = keyOf(type, trait);
      if (!noticed?.has(key) && !rows.has(key)) rows.set(key, { trait, type, messageId });
    }
  }
  return [...rows.values()].slice(0, TYPES_PER_SOURCE);
}

export function markNoticed(siteId: string, source: Source, rows: readonly TraitTypeRow[]): void {
  if (!rows.length) return;
  const name = nameOf(siteId, source);
  const noticed = known.get(name) ?? new Set();
  known.set(name, noticed);
  for (const { type, trait } of rows) noticed.add(keyOf(type, trait));
  for (const [oldest] of known) {
    if (known.size <= REMEMBERED) break;
    known.delete(oldest);
  }
}

/** A site's id has no blank. */
const nameOf = (siteId: string, source: Source) => `${siteId} ${source}`;
const keyOf = (type: TraitType, trait: string) => `${type} ${trait}`;
