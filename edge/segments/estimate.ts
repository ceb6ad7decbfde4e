/** How many a rule would hold of, before it is saved: the engine itself asks a sample of the site's people. */
import type { Condition } from "../../shared/condition.ts";
import { analyze } from "../../shared/engine/analyze.ts";
import { createEvaluator } from "../../shared/engine/evaluation.ts";
import type { Program, Rule } from "../../shared/engine/types.ts";
import { type Needs, needsOf } from "../../shared/history.ts";
import { listIdentifiersOfProfiles } from "../db/identifiers.ts";
import type { Segment } from "../db/segments.ts";
import { groupStored } from "../identity/resolve.ts";
import type { LiveSite } from "../manifest/live.ts";
import { loadPeople } from "../profiles/load.ts";
import { buildPerson, refreshHistories, subjectOf } from "../profiles/person.ts";
import { type Population, readPopulation } from "./population.ts";

export interface Estimate {
  members: number;
  /** In 95 of 100 estimates the true number lies between these, both included. */
  low: number;
  high: number;
  /** Profiles that were asked. */
  sampled: number;
  /** Profiles that the site has; where not all were counted, to within a few percent. */
  total: number;
  /** Everybody was asked. */
  exact: boolean;
}

/** Everybody, where there are no more than this. */
const SAMPLE = 2_000;
/** Profiles in memory at a time, with all their history. */
const CHUNK = 100;
/** A longer look is cut short: who was asked until then is the sample. */
const BUDGET_MS = 10_000;
/** Two-sided 95 % of the normal distribution. */
const Z = 1.96;

/**
 * Decides a condition for a sample of profiles as of now.
 *
 * @param segments of the site, drafts included: what the condition may refer to
 * @param now epoch milliseconds
 */
export async function estimateMembers(
  db: D1Database,
  live: LiveSite,
  condition: Condition,
  segments: readonly Segment[],
  now: () => number,
): Promise<Estimate> {
  const { siteId, settings } = live.manifest;
  const asOf = now();
  const rules = [...listReferred(condition, segments), { key: "", condition }];
  const program = createEvaluator(rules, { timeZone: settings.timeZone });
  const needs = needsOf(rules.map((rule) => rule.condition));
  const folded = covers(live.needs, needs) ? live : { ...live, needs };
  const population = await readPopulation(db, siteId, SAMPLE);
  let sampled = 0;
  let members = 0;
  while (sampled < population.ids.length && (sampled === 0 || now() - asOf < BUDGET_MS)) {
    const ids = population.ids.slice(sampled, sampled + CHUNK);
    members += await countHolding(db, folded, program, ids, asOf);
    sampled += ids.length;
  }
  return extrapolate(members, sampled, population);
}

/** Of how many of the profiles the last rule of the program is true. */
async function countHolding(
  db: D1Database,
  live: LiveSite,
  program: Program,
  profileIds: readonly string[],
  now: number,
): Promise<number> {
  const stored = await loadPeople(
    db,
    live.manifest.siteId,
    await listIdentifiersOfProfiles(db, live.manifest.siteId, profileIds),
  );
  if (live.needs.events.length) await refreshHistories(db, live, stored);
  let count = 0;
  for (const group of new Set(groupStored(stored.nodes).values())) {
    const person = buildPerson(group, stored, live);
    const answers = program.evaluate(subjectOf(person, live), Math.max(now, person.profile.lastSeen));
    if (answers.at(-1)!.value === true) count++;
  }
  return count;
}

/** The rules of the segments that a condition refers to, and of those that they refer to. */
function listReferred(condition: Condition, segments: readonly Segment[]): Rule[] {
  const rules = new Map<string, Rule>();
  const look = (from: Condition) => {
    for (const key of analyze(from).segments) {
      const referred = segments.find((segment) => segment.key === key)?.condition;
      if (!referred || rules.has(key)) continue;
      rules.set(key, { key, condition: referred });
      look(referred);
    }
  };
  look(condition);
  return [...rules.values()];
}

/** True where histories folded for one have all that the other needs. */
function covers(folded: Needs, needs: Needs): boolean {
  return needs.events.every(({ type, event, paths, inside }) =>
    folded.events.some(
      (known) =>
        known.type === type &&
        known.event === event &&
        paths.every((path) => known.paths.includes(path)) &&
        inside.every((name) => known.inside.includes(name)),
    ),
  );
}

/**
 * From the sample to the site: Wilson's interval of the share (1927), with the sample counted as larger the more of the site
 * it is; its distances and those of the estimated total, squared and added (Zou and Donner, 2008).
 */
export function extrapolate(
  members: number,
  sampled: number,
  { total, totalError }: Omit<Population, "ids">,
): Estimate {
  if (sampled >= total) return { members, low: members, high: members, sampled, total, exact: true };
  const share = members / sampled;
  const n = (sampled * (total - 1)) / (total - sampled);
  const centre = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const radius = (Z * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2))) / (1 + Z ** 2 / n);
  const below = Math.hypot(share - (centre - radius), Z * totalError * share);
  const above = Math.hypot(centre + radius - share, Z * totalError * share);
  return {
    members: Math.round(share * total),
    low: Math.max(members, Math.floor((share - below) * total)),
    high: Math.ceil((share + above) * total),
    sampled,
    total,
    exact: false,
  };
}
