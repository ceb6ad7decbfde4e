/** Groups messages by person into requests: a person's events in order, and in one batch where they fit. */
import type { Message } from "../../shared/event.ts";

/** Well under the Worker's limits (500 KB, 2,500 events): a lost request costs little to send again. */
const BATCH_EVENTS = 100;
const BATCH_BYTES = 400_000;
/** How many messages are looked at together to find those of one person. Bounds the memory. */
const WINDOW_EVENTS = 5_000;

export interface Batch {
  /** Position among the file's batches. The same file always gives the same batches. */
  index: number;
  persons: string[];
  /** The messages as JSON, ready to be joined. */
  messages: string[];
}

interface Person {
  key: string;
  messages: string[];
  bytes: number;
}

export async function* buildBatches(messages: AsyncIterable<Message>): AsyncGenerator<Batch> {
  let index = 0;
  let window = new Map<string, Person>();
  let held = 0;

  for await (const message of messages) {
    const key = personOf(message);
    const json = JSON.stringify(message);
    const person = window.get(key) ?? { key, messages: [], bytes: 0 };
    window.set(key, person);
    person.messages.push(json);
    person.bytes += Buffer.byteLength(json) + 1;
    held++;
    if (held < WINDOW_EVENTS) continue;
    // Whoever the file is in the middle of waits for the rest of their events.
    const waiting = person.messages.length < WINDOW_EVENTS / 2 ? person : undefined;
    if (waiting) window.delete(key);
    for (const batch of pack(window.values())) yield { index: index++, ...batch };
    window = new Map(waiting ? [[key, waiting]] : []);
    held = waiting?.messages.length ?? 0;
  }
  for (const batch of pack(window.values())) yield { index: index++, ...batch };
}

function* pack(persons: Iterable<Person>): Generator<Omit<Batch, "index">> {
  let batch: Omit<Batch, "index"> = { persons: [], messages: [] };
  let bytes = 0;
  const fits = (count: number, size: number) =>
    batch.messages.length + count <= BATCH_EVENTS && bytes + size <= BATCH_BYTES;

  for (const person of persons) {
    if (batch.messages.length > 0 && !fits(person.messages.length, person.bytes)) {
      yield batch;
      batch = { persons: [], messages: [] };
      bytes = 0;
    }
    batch.persons.push(person.key);
    for (const json of person.messages) {
      const size = Buffer.byteLength(json) + 1;
      if (batch.messages.length > 0 && !fits(1, size)) {
        yield batch;
        batch = { persons: [person.key], messages: [] };
        bytes = 0;
      }
      batch.messages.push(json);
      bytes += size;
    }
  }
  if (batch.messages.length > 0) yield batch;
}

/** The device first: it stays the same when the person logs in, so that what came before goes before. */
export function personOf(message: Message): string {
  return JSON.stringify(message.anonymousId ?? message.userId ?? null);
}
