/**
 * An owner's history in memory. It is kept in chunks in order of arrival, so that an event rewrites the last one only,
 * whatever the length of the whole.
 */
import type { HistoryEvent } from "../../shared/event.ts";
import {
  emptyHistory,
  extendHistory,
  HISTORY_CHARACTERS,
  type History,
  mergeEvents,
  type Needs,
  readHistory,
} from "../../shared/history.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { HISTORY_EVENTS } from "../../shared/limits.ts";
import type { HistoryChange, HistoryRow } from "../db/histories.ts";

/** A chunk is full with so many events, or characters. */
const CHUNK_EVENTS = 64;
const CHUNK_CHARACTERS = 16 * 1024;
/** How much more than is shown may gather before it is thrown out. */
const SLACK_EVENTS = 512;

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
    this.#chunks.push({ number: chunk, history });
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
    const chunks = this.#chunks.length;
    if (this.#events) {
      const added = readHistory([extendHistory(emptyHistory(this.shape), events, needs)]);
      this.#events = newest(mergeEvents(this.#events, added));
    }
    this.#append(events, needs, 0);
    if (!this.#isStored) this.#changed.add(this.#tail());
    if (this.#chunks.length > chunks) this.#compact(needs);
  }

  /** @param first number of the first chunk, if there is none yet. */
  #append(events: readonly HistoryEvent[], needs: Needs, first: number): void {
    for (let at = 0; at < events.length; ) {
      const tail = this.#tail(first);
      let part = events.slice(at, at + CHUNK_EVENTS - tail.history.times.length);
      let history = extendHistory(tail.history, part, needs);
      if (history.size > CHUNK_CHARACTERS && part.length > 1) {
        part = part.slice(0, 1); // large ones, one by one: a chunk never grows so large that it drops any
        history = extendHistory(tail.history, part, needs);
      }
      at += part.length;
      if (history === tail.history) continue;
      tail.history = history;
      this.#changed.add(tail);
    }
  }

  /** What has to be written since the last saving; null if nothing. */
  get change(): HistoryChange | null {
    if (!this.#changed.size && !this.#dropped.length) return null;
    const write = this.#chunks.filter((chunk) => this.#changed.has(chunk));
    return {
      owner: this.owner,
      shape: this.shape,
      write: write.map(({ number, history }) => ({ chunk: number, history })),
      // A number that is used again is written over.
      drop: this.#dropped.filter((dropped) => write.every(({ number }) => number !== dropped)),
    };
  }

  markSaved(): void {
    this.#isStored = true;
    this.#changed.clear();
    this.#dropped = [];
  }

  /** A chunk with room for more. */
  #tail(first = 0): Chunk {
    const last = this.#chunks.at(-1);
    if (last && last.history.times.length < CHUNK_EVENTS && last.history.size < CHUNK_CHARACTERS) return last;
    const chunk = { number: last ? last.number + 1 : first, history: emptyHistory(this.shape) };
    this.#chunks.push(chunk);
    return chunk;
  }

  /** Where there is more than any reading would show, or too much text, only the newest events are kept, in new chunks. */
  #compact(needs: Needs): void {
    const characters = this.#chunks.reduce((sum, { history }) => sum + history.size, 0);
    if (this.size <= HISTORY_EVENTS + SLACK_EVENTS && characters <= HISTORY_CHARACTERS) return;
    const events = this.events;
    let from = events.length;
    for (let left = HISTORY_CHARACTERS / 2; from > 0 && left > 0; from--)
      left -= JSON.stringify(events[from - 1]!.properties).length;
    for (const { number } of this.#chunks) this.#dropped.push(number);
    const first = this.#chunks.at(-1)!.number + 1;
    this.#chunks.length = 0;
    this.#changed.clear();
    this.#events = null;
    this.#append(events.slice(from), needs, first);
  }
}

/** Several owners' events as one history: the newest HISTORY_EVENTS, ascending. */
export function readOwners(owners: readonly OwnerHistory[]): readonly HistoryEvent[] {
  return newest(owners.map(({ events }) => events).reduce(mergeEvents, []));
}

function newest(events: readonly HistoryEvent[]): readonly HistoryEvent[] {
  return events.length > HISTORY_EVENTS ? events.slice(-HISTORY_EVENTS) : events;
}
