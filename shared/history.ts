/** The bounded history that both runtimes keep for deciding: the events that rules look at, with only the properties that they read. */
import type { Condition } from "./condition.ts";
import { type EventUse, eventsOf, lookbackOf, mergeUses } from "./engine/events-of.ts";
import { isScalar, readPath } from "./engine/value.ts";
import type { EventType, HistoryEvent, JsonObject } from "./event.ts";
import { stableIdOf } from "./hash.ts";
import { HISTORY_EVENTS } from "./limits.ts";

/** What a set of conditions needs of a history. */
export interface Needs {
  /** By type, then name; `event: null` = any name of that type. Lists are sorted. */
  events: EventUse[];
  /** How far back any condition looks, in milliseconds; null = to the beginning. */
  windowMs: number | null;
  /** Changes exactly when `events` does: a history of another shape lacks something and has to be built anew. */
  shape: string;
}

/** A stored value: a scalar as it is, `[]` where there is none, `[value]` for an array or object. */
export type Cell = string | number | boolean | null | [] | [unknown];

/** Column-wise and JSON-serializable. Made by `emptyHistory` and `extendHistory` only. */
export interface History {
  shape: string;
  /** Everything needed that came after this instant is here; null = everything there ever was. */
  completeAfter: number | null;
  /** About how many characters the stored values take. */
  size: number;
  /** Type, name and property paths of each kind of event that occurs, sorted. */
  kinds: Kind[];
  /** The first timestamp, then the distance of each from the one before. */
  times: number[];
  /** Index into `kinds`, then the values of its paths; missing ones at the end are left off. */
  rows: [kind: number, ...cells: Cell[]][];
}

type Kind = [type: string, event: string, paths: string[]];

/** Bound on `History.size`: beyond it the oldest events go, as beyond HISTORY_EVENTS. */
export const HISTORY_CHARACTERS = 256 * 1024;

/** The needs of all the conditions together, and of whoever else reads events; their order makes no difference. */
export function needsOf(conditions: readonly Condition[], uses: readonly EventUse[] = []): Needs {
  const events = mergeUses([...conditions.flatMap(eventsOf), ...uses]);
  const lookback = Math.max(0, ...conditions.map(lookbackOf));
  return { events, windowMs: lookback < Infinity ? lookback : null, shape: stableIdOf(JSON.stringify(events)) };
}

/** A history of nothing, complete. */
export function emptyHistory(shape: string): History {
  return { shape, completeAfter: null, size: 0, kinds: [], times: [], rows: [] };
}

/** An event on its way in: its kind as JSON, which is its key. */
interface Entry {
  time: number;
  kind: string;
  cells: Cell[];
}

/**
 * The history with more events in it, in any order, late ones included; the same events give the same history whatever the order and
 * the split. It does not know messages: each event has to be handed over once. Events that no need names are left out; beyond the
 * bounds the oldest go and `completeAfter` says so. The history itself is returned when nothing changes.
 *
 * A history of another shape than the needs lacks what they ask for. Whoever has the events builds it anew; otherwise a new one is
 * begun here, complete from these events on.
 */
export function extendHistory(history: History, events: readonly HistoryEvent[], needs: Needs): History {
  const added = events.flatMap((event) => entryOf(event, needs)).sort(compareEntries);
  if (history.shape !== needs.shape) {
    const newest = history.times.reduce((sum, time) => sum + time, 0);
    history = { ...emptyHistory(needs.shape), completeAfter: Math.max(newest, history.completeAfter ?? 0) || null };
  }
  if (added.length === 0) return history;
  return append(history, added) ?? encode(history, [...entriesOf(history), ...added].sort(compareEntries));
}

/** The events of one or several owners' histories as rules see them, ascending; equal times in an order that depends on the events alone. */
export function readHistory(histories: readonly History[]): HistoryEvent[] {
  const entries = histories.flatMap(entriesOf);
  const kinds = new Map<string, { type: string; event: string; paths: string[][] }>();
  const events = entries.map(({ time, kind, cells }) => {
    let known = kinds.get(kind);
    if (!known) {
      const [type, event, paths] = JSON.parse(kind) as Kind;
      known = { type, event, paths: paths.map((path) => path.split(".")) };
      kinds.set(kind, known);
    }
    const { type, event, paths } = known;
    return { type: type as EventType, event, timestamp: time, properties: restore(paths, cells) };
  });
  return events.sort(compareEvents);
}

/** Unites two results of `readHistory` into what it would have read from both together. Quick where all of `added` is newer. */
export function mergeEvents(events: readonly HistoryEvent[], added: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const first = added[0];
  if (!first) return events;
  let at = events.length;
  while (at > 0 && events[at - 1]!.timestamp >= first.timestamp) at--;
  const merged = events.slice(0, at);
  for (const event of added) {
    while (at < events.length && compareEvents(events[at]!, event) <= 0) merged.push(events[at++]!);
    merged.push(event);
  }
  while (at < events.length) merged.push(events[at++]!);
  return merged;
}

function compareEvents(a: HistoryEvent, b: HistoryEvent): number {
  return (
    a.timestamp - b.timestamp ||
    compareTexts(a.event, b.event) ||
    compareTexts(a.type, b.type) ||
    compareTexts(JSON.stringify(a.properties), JSON.stringify(b.properties))
  );
}

function entryOf({ type, event, timestamp, properties }: HistoryEvent, needs: Needs): Entry | [] {
  if (!Number.isFinite(timestamp)) return [];
  const time = Math.floor(timestamp);
  const wanted = needs.events.filter((need) => need.type === type && (need.event === null || need.event === event));
  if (wanted.length === 0) return [];
  const paths = [...new Set(wanted.flatMap((need) => need.paths))].sort();
  const inside = new Set(wanted.flatMap((need) => need.inside));
  const cells = paths.map((path) => cellOf(readPath(properties, path.split(".")), inside));
  while (cells.length && isMissing(cells.at(-1)!)) cells.pop();
  return { time, kind: JSON.stringify([type, event, paths]), cells };
}

const isMissing = (cell: Cell) => Array.isArray(cell) && cell.length === 0;

function cellOf(value: unknown, inside: ReadonlySet<string>): Cell {
  if (value === undefined) return [];
  return isScalar(value) ? (value as Cell) : [outline(value, inside)];
}

/** Operators tell scalars, arrays and objects apart; of objects, only what is asked for inside is kept. */
function outline(value: unknown, inside: ReadonlySet<string>): unknown {
  if (isScalar(value)) return value;
  if (Array.isArray(value)) return value.map((element) => outline(element ?? null, inside));
  if (typeof value !== "object") return {};
  const kept = Object.entries(value!).filter(([name, inner]) => inside.has(name) && inner !== undefined);
  return Object.fromEntries(kept.map(([name, inner]) => [name, outline(inner, inside)]));
}

/** About the characters of an entry; texts count, everything else is small. */
function sizeOf({ cells }: Entry): number {
  const sizes = cells.map((cell) =>
    typeof cell === "string" ? cell.length + 3 : Array.isArray(cell) ? JSON.stringify(cell).length + 1 : 8,
  );
  return sizes.reduce((sum, size) => sum + size, 16);
}

/** The common case without rebuilding: all is newer, of known kinds, and within the bounds. */
function append(history: History, added: Entry[]): History | undefined {
  const last = history.times.reduce((sum, time) => sum + time, 0);
  const kinds = history.kinds.map((kind) => JSON.stringify(kind));
  const size = added.reduce((sum, entry) => sum + sizeOf(entry), history.size);
  const fits = history.rows.length + added.length <= HISTORY_EVENTS && size <= HISTORY_CHARACTERS;
  const known = added.every(({ kind }) => kinds.includes(kind));
  if (!fits || !known || added[0]!.time <= Math.max(last, history.completeAfter ?? 0)) return undefined;
  return {
    ...history,
    size,
    times: [...history.times, ...added.map(({ time }, i) => time - (i ? added[i - 1]!.time : last))],
    rows: [...history.rows, ...added.map((entry) => rowOf(entry, kinds))],
  };
}

const rowOf = ({ kind, cells }: Entry, kinds: string[]): History["rows"][number] => [kinds.indexOf(kind), ...cells];

/** The newest entries that fit the bounds, stored. Of a tie at the edge none is kept: otherwise which one is would depend on the order of arrival. */
function encode({ shape, completeAfter }: History, entries: Entry[]): History {
  let size = 0;
  let count = 0;
  for (const entry of entries.toReversed()) {
    if (completeAfter !== null && entry.time <= completeAfter) break;
    size += sizeOf(entry);
    if (++count > HISTORY_EVENTS || size > HISTORY_CHARACTERS) {
      completeAfter = entry.time;
      break;
    }
  }
  const kept = completeAfter === null ? entries : entries.filter(({ time }) => time > completeAfter!);
  const kinds = [...new Set(kept.map(({ kind }) => kind))].sort();
  return {
    shape,
    completeAfter,
    size: kept.reduce((sum, entry) => sum + sizeOf(entry), 0),
    kinds: kinds.map((kind) => JSON.parse(kind)),
    times: kept.map(({ time }, i) => (i ? time - kept[i - 1]!.time : time)),
    rows: kept.map((entry) => rowOf(entry, kinds)),
  };
}

function entriesOf({ kinds, times, rows }: History): Entry[] {
  const keys = kinds.map((kind) => JSON.stringify(kind));
  let time = 0;
  return rows.map(([kind, ...cells], i) => {
    time += times[i]!;
    return { time, kind: keys[kind]!, cells };
  });
}

function compareEntries(a: Entry, b: Entry): number {
  return (
    a.time - b.time || compareTexts(a.kind, b.kind) || compareTexts(JSON.stringify(a.cells), JSON.stringify(b.cells))
  );
}

const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Puts values back at their paths. Objects have no prototype, so that a key may have any name, `__proto__` included. */
function restore(paths: readonly string[][], cells: readonly Cell[]): JsonObject {
  const properties: JsonObject = Object.create(null);
  // Sorted paths name a container before what is inside it.
  cells.forEach((cell, i) => {
    if (isMissing(cell)) return;
    const keys = paths[i]!;
    const last = keys.length - 1;
    let parent = properties;
    for (let depth = 0; depth < last; depth++) {
      const key = keys[depth]!;
      if (!Object.hasOwn(parent, key)) parent[key] = Object.create(null);
      parent = parent[key] as JsonObject;
    }
    const key = keys[last]!;
    if (!Object.hasOwn(parent, key)) parent[key] = Array.isArray(cell) ? revive(cell[0]) : cell;
  });
  return properties;
}

/** As it was, its objects without a prototype. */
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (isScalar(value)) return value;
  const revived: JsonObject = Object.create(null);
  for (const [name, inner] of Object.entries(value as JsonObject)) revived[name] = revive(inner);
  return revived;
}
