/**
 * An owner's history in memory. It is kept in chunks in order of arrival, so that an event rewrites the last one only,
 * whatever the length of the whole.
 */
import type { HistoryEvent } from "../../shared/event.ts";
import {
  emptyHistory,
  extendHistory,
  type History,
  mergeEvents,
  type Needs,
  readHistory,
} from "../../shared/history.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { HISTORY_EVENTS } from "../../shared/limits.ts";
import type { HistoryChange, HistoryRow } from "../db/histories.ts";

/** Events of a chunk. */
const CHUNK_EVENTS = 64;

interface Chunk {
  number: number;
  history: History;
}

export class OwnerHistory {
  readonly owner: Identifier;
  readonly shape: string;
  readonly #chunks: Chunk[] = [];
  readonly #changed = new Set<Chunk>();
  #dropped: number[] = [];
  /** Decoded when first asked for. */
  #events: readonly HistoryEvent[] | null = null;
  /** An owner with events has a chunk, be it empty: its shape tells when the events have to be looked through anew. */
  #isStored = false;

  /** @param replaced chunks stored under another shape: they go when this is saved */
  constructor(owner: Identifier, shape: string, replaced: readonly number[] = []) {
    this.owner = owner;
    this.shape = shape;
    this.#dropped.push(...replaced);
  }

  /** Takes a chunk as it is stored; they come in their order. */
  load({ chunk, history }: HistoryRow): void {
    this.#isStored = true;
    if (chunk > (this.#chunks.at(-1)?.number ?? -1)) this.#chunks.push({ number: chunk, history });
  }

  /** Events that are held, needed or not. */
  get size(): number {
    return this.#chunks.reduce((size, { history }) => size + history.times.length, 0);
  }

  get chunkNumbers(): number[] {
    return this.#chunks.map(({ number }) => number);
  }

  /** The newest HISTORY_EVENTS, ascending. */
  get events(): readonly HistoryEvent[] {
    this.#events ??= newest(readHistory(this.#chunks.map(({ history }) => history)));
    return this.#events;
  }

  /** Adds events that were not there yet, in any order; those that no rule needs are left out. */
  append(events: readonly HistoryEvent[], needs: Needs): void {
    if (this.#events) {
      const added = readHistory([extendHistory(emptyHistory(this.shape), events, needs)]);
      this.#events = newest(mergeEvents(this.#events, added));
    }
    for (let at = 0; at < events.length; ) {
      const tail = this.#tail();
      const part = events.slice(at, at + CHUNK_EVENTS - tail.history.times.length);
      at += part.length;
      const history = extendHistory(tail.history, part, needs);
      if (history === tail.history) continue;
      tail.history = history;
      this.#changed.add(tail);
    }
    if (!this.#isStored) this.#changed.add(this.#tail());
    this.#dropOld();
  }

  /** What has to be written since the last saving; null if nothing. */
  get change(): HistoryChange | null {
    if (!this.#changed.size && !this.#dropped.length) return null;
    const write = this.#chunks.filter((chunk) => this.#changed.has(chunk));
    return {
      owner: this.owner,
      shape: this.shape,
      write: write.map(({ number, history }) => ({ chunk: number, history })),
      drop: this.#dropped,
    };
  }

  markSaved(): void {
    this.#isStored = true;
    this.#changed.clear();
    this.#dropped = [];
  }

  /** A chunk with room for more. */
  #tail(): Chunk {
    const last = this.#chunks.at(-1);
    if (last && last.history.times.length < CHUNK_EVENTS) return last;
    const chunk = { number: (last?.number ?? -1) + 1, history: emptyHistory(this.shape) };
    this.#chunks.push(chunk);
    return chunk;
  }

  /** Drops the chunks of which every event has HISTORY_EVENTS newer ones behind it: no reading would show them. */
  #dropOld(): void {
    if (this.size < HISTORY_EVENTS + CHUNK_EVENTS) return;
    const spans = this.#chunks.map(({ history }) => spanOf(history));
    let dropped = 0;
    for (const index of this.#chunks.keys()) {
      const newer = this.#chunks.reduce(
        (sum, other, at) => sum + (spans[at]!.from > spans[index]!.to ? other.history.times.length : 0),
        0,
      );
      if (newer < HISTORY_EVENTS) break;
      dropped++;
    }
    for (const { number } of this.#chunks.splice(0, dropped)) this.#dropped.push(number);
  }
}

/** Several owners' events as one history: the newest HISTORY_EVENTS, ascending. */
export function readOwners(owners: readonly OwnerHistory[]): readonly HistoryEvent[] {
  return newest(owners.map(({ events }) => events).reduce(mergeEvents, []));
}

function newest(events: readonly HistoryEvent[]): readonly HistoryEvent[] {
  return events.length > HISTORY_EVENTS ? events.slice(-HISTORY_EVENTS) : events;
}

function spanOf({ times }: History): { from: number; to: number } {
  if (!times.length) return { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  return { from: times[0]!, to: times.reduce((sum, distance) => sum + distance, 0) };
}
