/** The bounded history that both runtimes keep for deciding: the events that rules look at, with only the properties that they read. */
import type { Condition } from "./condition.ts";
import { eventsOf, lookbackOf } from "./engine/events-of.ts";
import { isScalar, readPath } from "./engine/value.ts";
import type { EventType, HistoryEvent, JsonObject } from "./event.ts";
import { stableIdOf } from "./hash.ts";
import { HISTORY_EVENTS } from "./limits.ts";

/** What a set of conditions needs of a history. */
export interface Needs {
  /** By type, then name; `event: null` = any name of that type. Paths are sorted. */
  events: { type: string; event: string | null; paths: string[] }[];
  /** How far back any condition looks, in milliseconds; null = to the beginning. */
  windowMs: number | null;
  /** Changes exactly when `events` does: a history of another shape lacks something and has to be built anew. */
  shape: string;
}

/** A stored value: a scalar as it is, `[]` where there is none, `[value]` for an array or object. */
type Cell = string | number | boolean | null | [] | [unknown];

/** Column-wise and JSON-serializable. Made by `emptyHistory` and `extendHistory` only. */
export interface History {
  shape: string;
  /** Everything needed that came after this instant is here; null = everything there ever was. */
  completeAfter: number | null;
  /** Type, name and property paths of each kind of event that occurs, sorted. */
  kinds: [type: string, event: string, paths: string[]][];
  /** The first timestamp, then the distance of each from the one before. */
  times: number[];
  /** Index into `kinds`, then the values of its paths; missing ones at the end are left off. */
  rows: [kind: number, ...cells: Cell[]][];
}

/** Bound on the stored values, in characters of JSON: beyond it the oldest events go, as beyond HISTORY_EVENTS. */
export const HISTORY_CHARACTERS = 256 * 1024;

/** The needs of all the conditions together; their order makes no difference. */
export function needsOf(conditions: readonly Condition[]): Needs {
  const found = new Map<string, { type: string; event: string | null; paths: Set<string> }>();
  for (const { type, event, paths } of conditions.flatMap(eventsOf)) {
    const key = JSON.stringify([type, event]);
    const need = found.get(key) ?? { type, event, paths: new Set() };
    found.set(key, need);
    for (const path of paths) need.paths.add(path);
  }
  const events = [...found.keys()].sort().map((key) => {
    const { type, event, paths } = found.get(key)!;
    return { type, event, paths: [...paths].sort() };
  });
  const lookback = Math.max(0, ...conditions.map(lookbackOf));
  return { events, windowMs: lookback < Infinity ? lookback : null, shape: stableIdOf(JSON.stringify(events)) };
}

/** A history of nothing, complete. */
export function emptyHistory(shape: string): History {
  return { shape, completeAfter: null, kinds: [], times: [], rows: [] };
}

/** A row on its way in or out: its kind and cells, the time, and what breaks ties. */
interface Entry {
  time: number;
  type: string;
  event: string;
  paths: string[];
  cells: Cell[];
}

/**
 * The history with more events in it, in any order, late ones included; the same events give the same history whatever the order and
 * the split. It does not know messages: each event has to be handed over once. Events that no need names are left out; beyond the
 * bounds the oldest go and `completeAfter` says so.
 *
 * @throws RangeError when the history has another shape than the needs.
 */
export function extendHistory(history: History, events: readonly HistoryEvent[], needs: Needs): History {
  if (history.shape !== needs.shape) throw new RangeError(`history of shape ${history.shape}, needed ${needs.shape}`);
  const added = events.map((event) => entryOf(event, needs)).filter((entry) => entry !== undefined);
  if (added.length === 0) return history;
  const entries = [...entriesOf(history), ...added].sort(compareEntries);
  return encode(history.shape, trim(entries, history.completeAfter ?? -Infinity));
}

/** The events of one or several owners' histories as rules see them, ascending; equal times in an order that depends on the events alone. */
export function readHistory(histories: readonly History[]): HistoryEvent[] {
  return histories.flatMap(entriesOf).map(toEvent).sort(compareEvents);
}

/** What a history would keep of events, as rules see them, ascending: those that are needed, with what is needed of them. */
export function selectEvents(events: readonly HistoryEvent[], needs: Needs): HistoryEvent[] {
  return events
    .flatMap((event) => entryOf(event, needs) ?? [])
    .map(toEvent)
    .sort(compareEvents);
}

/** Unites two ascending lists; quick where all of `added` is newer. */
export function mergeEvents(events: readonly HistoryEvent[], added: readonly HistoryEvent[]): readonly HistoryEvent[] {
  if (added.length === 0) return events;
  let from = events.length;
  while (from > 0 && compareEvents(events[from - 1]!, added[0]!) > 0) from--;
  const newer = [...events.slice(from), ...added].sort(compareEvents);
  return from ? events.slice(0, from).concat(newer) : newer;
}

function toEvent({ time, type, event, paths, cells }: Entry): HistoryEvent {
  return { type: type as EventType, event, timestamp: time, properties: restore(paths, cells) };
}

function compareEvents(a: HistoryEvent, b: HistoryEvent): number {
  if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp;
  const x = JSON.stringify([a.type, a.event, a.properties]);
  const y = JSON.stringify([b.type, b.event, b.properties]);
  return x < y ? -1 : x > y ? 1 : 0;
}

function entryOf(event: HistoryEvent, needs: Needs): Entry | undefined {
  const time = Math.floor(event.timestamp);
  const wanted = needs.events.filter(
    (need) => need.type === event.type && (need.event === null || need.event === event.event),
  );
  if (wanted.length === 0 || !Number.isFinite(time) || typeof event.event !== "string") return undefined;
  const paths = [...new Set(wanted.flatMap((need) => need.paths))].sort();
  const cells = paths.map((path) => cellOf(readPath(event.properties, path.split("."))));
  while (cells.length && isMissing(cells.at(-1)!)) cells.pop();
  return { time, type: event.type, event: event.event, paths, cells };
}

const isMissing = (cell: Cell) => Array.isArray(cell) && cell.length === 0;

function cellOf(value: unknown): Cell {
  if (value === undefined) return [];
  return isScalar(value) ? (value as Cell) : [outline(value)];
}

/** Operators tell scalars and arrays apart and look into nothing else, so an object is as good as an empty one. */
function outline(value: unknown): unknown {
  if (isScalar(value)) return value;
  return Array.isArray(value) ? value.map((element) => outline(element ?? null)) : {};
}

/** The newest entries that fit the bounds, and the instant up to which any are missing. */
function trim(entries: Entry[], missingUpTo: number): { entries: Entry[]; missingUpTo: number } {
  let characters = 0;
  let first = entries.length;
  while (first > 0) {
    const entry = entries[first - 1]!;
    characters += JSON.stringify(entry.cells).length;
    if (entry.time <= missingUpTo) break;
    if (entries.length - first >= HISTORY_EVENTS || characters > HISTORY_CHARACTERS) {
      missingUpTo = entry.time;
      break;
    }
    first--;
  }
  // Of a tie at the edge none is kept: otherwise which one is would depend on the order of arrival.
  return { entries: entries.slice(first).filter(({ time }) => time > missingUpTo), missingUpTo };
}

function encode(shape: string, { entries, missingUpTo }: { entries: Entry[]; missingUpTo: number }): History {
  const kindOf = (entry: Entry) => JSON.stringify([entry.type, entry.event, entry.paths]);
  const kinds = [...new Set(entries.map(kindOf))].sort();
  const places = new Map(kinds.map((kind, place) => [kind, place]));
  return {
    shape,
    completeAfter: missingUpTo > -Infinity ? missingUpTo : null,
    kinds: kinds.map((kind) => JSON.parse(kind)),
    times: entries.map(({ time }, at) => (at ? time - entries[at - 1]!.time : time)),
    rows: entries.map((entry) => [places.get(kindOf(entry))!, ...entry.cells]),
  };
}

function entriesOf(history: History): Entry[] {
  let time = 0;
  return history.rows.map(([kind, ...cells], at) => {
    time += history.times[at]!;
    const [type, event, paths] = history.kinds[kind]!;
    return { time, type, event, paths, cells };
  });
}

function compareEntries(a: Entry, b: Entry): number {
  if (a.time !== b.time) return a.time - b.time;
  const [x, y] = [a, b].map(({ type, event, cells }) => JSON.stringify([type, event, cells])) as [string, string];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Puts values back at their paths. Objects have no prototype, so that a key may have any name, `__proto__` included. */
function restore(paths: readonly string[], cells: readonly Cell[]): JsonObject {
  const properties: JsonObject = Object.create(null);
  // Sorted paths name a container before what is inside it.
  cells.forEach((cell, at) => {
    if (isMissing(cell)) return;
    const keys = paths[at]!.split(".");
    const last = keys.pop()!;
    let parent: JsonObject = properties;
    for (const key of keys) {
      if (!Object.hasOwn(parent, key)) parent[key] = Object.create(null);
      parent = parent[key] as JsonObject;
      if (isScalar(parent)) return;
    }
    if (!Object.hasOwn(parent, last)) parent[last] = Array.isArray(cell) ? revive(cell[0]) : cell;
  });
  return properties;
}

function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  return isScalar(value) ? value : Object.create(null);
}
