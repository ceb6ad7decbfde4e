/**
 * Folds the past of some people anew, in memory, leaving links out: what comes out is what ingest, time and changed rules would
 * have made of them, had those links never been. Nothing is written.
 */
import type { JsonObject } from "../../shared/event.ts";
import { needsOf } from "../../shared/history.ts";
import type { Identifier, Source } from "../../shared/identifier.ts";
import { type EventRow, eventKey } from "../db/events.ts";
import { listRules, type RuleSet } from "../db/rules.ts";
import { readTombstones } from "../db/tombstones.ts";
import { type FoldInput, namesOf } from "../ingest/fold.ts";
import { type IngestEvent, isObject, parseEvent, traitsOf } from "../ingest/parse.ts";
import { buildLiveSite, type LiveSite } from "../manifest/live.ts";
import { type Moment, type Past, readEvents } from "./past.ts";
import type { IdentityPolicy } from "./policy.ts";
import { World } from "./world.ts";

/**
 * Folds a past anew.
 *
 * @param leftOut id of a link that never was; null: none but those that were removed before
 * @param newId for identifiers that would not exist without what is left out
 */
export async function replay(
  db: D1Database,
  current: LiveSite,
  past: Past,
  leftOut: string | null,
  newId: (identifier: Identifier) => string,
  now: number,
): Promise<World> {
  const { siteId } = current.manifest;
  // What was removed never was; what was made again then never was before.
  const removed = [...past.links.values()].flatMap((link) =>
    link.removedAt === null && !link.remade ? [] : [link.id],
  );
  const known = [...past.outside, ...removed, ...(leftOut === null ? [] : [leftOut])];
  const birthOf = (identifier: Identifier) => past.stored.nodes.get(identifier)?.birthId ?? newId(identifier);
  const eras = buildEras(current, await listRules(db, siteId, past.moments[0]?.at ?? now));
  const needs = needsOf(eras.flatMap((era) => era.live.manifest.segments.flatMap(({ condition }) => condition ?? [])));
  const isSteady = eras.every((era) => era.live.needs.shape === needs.shape);
  const world = new World(known, birthOf, isSteady ? null : needs);
  let { live } = eras.shift()!;
  // Whom an alias meant was found by who was known when it was written; requests that overtook each other saw it otherwise.
  const pairs = [...past.links.values(), ...past.conflicts.values()];
  const meant = new Set(pairs.flatMap(({ messageId, b }) => (messageId === null ? [] : [nameOf(messageId, b)])));
  const enter = (at: number) => {
    while (eras[0] && eras[0].from <= at) {
      const next = eras.shift()!;
      world.catchUp(live, next.from - 1);
      live = next.live;
      world.enter(live, next.from);
    }
  };
  const erasures = new Map(past.stored.nodes.values().map(({ identifier, erasedAt }) => [identifier, erasedAt]));
  for await (const { moments, events } of readEvents(db, siteId, past.moments)) {
    for (const moment of moments) {
      enter(moment.at);
      const links = moment.links.filter(({ id }) => id !== leftOut);
      for (const input of inputsOf({ ...moment, links }, events, live.identity, meant)) {
        const unknown = input.events.flatMap(namesOf).filter((identifier) => !erasures.has(identifier));
        const found = unknown.length ? await readTombstones(db, siteId, unknown) : null;
        for (const identifier of unknown) erasures.set(identifier, found?.get(identifier)?.erasedAt);
        const events = input.events.map((event) => withoutErased(event, erasures));
        world.fold(live, { ...input, events, erasures });
      }
      if (moment.lists.length) world.applyLists(live, moment.at, moment.lists);
    }
  }
  enter(now);
  world.catchUp(live, now);
  return world;
}

/** Whoever was erased since is not brought back by what others said with the same device. */
function withoutErased(event: IngestEvent, erasures: ReadonlyMap<Identifier, number | undefined>): IngestEvent {
  const stays = (identifier: Identifier) =>
    identifier === event.owner || event.saidAt > (erasures.get(identifier) ?? -1);
  return { ...event, identifiers: event.identifiers.filter(stays), previous: event.previous.filter(stays) };
}

/** The site by each set of rules, ascending, the last one as it is now. */
function buildEras(
  current: LiveSite,
  rules: readonly (RuleSet & { version: number; at: number })[],
): { from: number; live: LiveSite }[] {
  const last = { from: rules.at(-1)?.at ?? 0, live: current };
  const earlier = rules.slice(0, -1);
  const built = earlier.map(({ version, at, timeZone, consentDefault, identity, segments }) => {
    const { settings } = current.manifest;
    const live = buildLiveSite({
      ...current.manifest,
      version,
      rules: { version, at },
      settings: { timeZone, consentDefault, origins: settings.origins, ...(identity && { identity }) },
      segments: segments.map((segment) => ({ ...segment, name: segment.key, visibility: "private" })),
      blocks: [],
    });
    return { from: at, live };
  });
  return [...built, last];
}

/** A moment as requests: one of each source, since that is said of a whole request. */
function inputsOf(
  moment: Moment,
  rows: ReadonlyMap<string, EventRow>,
  identity: IdentityPolicy,
  meant: ReadonlySet<string>,
): FoldInput[] {
  const { at: receivedAt, arrivals, consents, links } = moment;
  const found = arrivals.flatMap(({ owner, messageId }, place) => {
    const row = rows.get(eventKey(owner, messageId));
    if (!row) return [];
    const event = toIngestEvent(row, place, identity);
    const previous = event.previous.filter((other) => meant.has(nameOf(row.messageId, other)));
    return [{ source: row.source, event: previous.length ? { ...event, previous } : event }];
  });
  const bySource = Map.groupBy(found, ({ source }) => source);
  const sources: Source[] = bySource.size ? [...bySource.keys()] : ["server"];
  return sources.map((source, index) => ({
    source,
    receivedAt,
    events: bySource.get(source)?.map(({ event }) => event) ?? [],
    // What events say of consent is among the statements.
    ...(index === 0 && { consents, links }),
    ...(links[0] && { actor: links[0].actor }),
  }));
}

function nameOf(messageId: string, previous: Identifier): string {
  return `${messageId}\n${previous}`;
}

function toIngestEvent(row: EventRow, place: number, identity: IdentityPolicy): IngestEvent {
  const { owner, messageId, type, at, receivedAt, message } = row;
  const event = readMessage(message, receivedAt, identity);
  const own = { owner, messageId, place, timestamp: at, consent: {}, body: "" };
  if (event) return { ...event, ...own, identifiers: [owner, ...event.identifiers.filter((other) => other !== owner)] };
  const properties = isObject(message["properties"]) ? message["properties"] : {};
  const traits = traitsOf(type, message);
  const bare = { type, event: row.name, properties, traits, identifiers: [owner], previous: [], refused: [] };
  return { ...bare, saidAt: at, ...own };
}

/** Null for a message that would not be taken any more, such as of somebody whom a policy blocks that came later. */
function readMessage(message: JsonObject, receivedAt: number, identity: IdentityPolicy): IngestEvent | null {
  try {
    return parseEvent(message, receivedAt, { sentAt: null, context: undefined, newId: () => "", identity });
  } catch {
    return null;
  }
}
