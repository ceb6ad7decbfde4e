/** Messages that the Worker has not acked yet. Knows how long to keep one, not how it is sent. */
import type { Message } from "../../shared/event.ts";
import type { Rows } from "./store.ts";

export interface Outbox {
  /** Resolves when it is durable, or when it is known that this device cannot keep it. */
  add(message: Message, strict: boolean): Promise<unknown>;
  /** What may be sent now: durable messages, oldest first, other tabs' included. */
  list(limit: number): Promise<Message[]>;
  /** This tab's messages, durable or not, without waiting: the page may be gone in a moment. */
  own(): Message[];
  remove(messages: Message[]): Promise<unknown>;
}

/** Keys sort by time, so that what is oldest goes first. */
const keyOf = (message: Message) => message.timestamp! + message.messageId;

export function createOutbox({ read, write }: Rows): Outbox {
  const own = new Map<string, Message>();
  /** Could not be made durable: memory is their only place. */
  const unsaved = new Map<string, Message>();
  let writing: Promise<unknown> | undefined;

  return {
    add(message, strict) {
      const key = keyOf(message);
      own.set(key, message);
      const work = write([[key, message]], strict).then((saved) => saved || unsaved.set(key, message));
      writing = Promise.all([writing, work]);
      return work;
    },
    async list(limit) {
      await writing;
      const rows = new Map([...(await read(limit)), ...unsaved] as [string, Message][]);
      // Nothing waits any more: other tabs have sent what was ours.
      if (!rows.size) own.clear();
      return [...rows.keys()]
        .sort()
        .slice(0, limit)
        .map((key) => rows.get(key)!);
    },
    own: () => [...own.values()],
    remove(messages) {
      const keys = messages.map(keyOf);
      for (const key of keys) {
        own.delete(key);
        unsaved.delete(key);
      }
      return write(keys.map((key) => [key, undefined]));
    },
  };
}
