/** Messages that the Worker has not acked yet. Knows how long to keep one, not how it is sent. */
import type { Message } from "../../shared/event.ts";
import type { Row } from "./database.ts";
import { isPrecious } from "./message.ts";

/** Keys sort by time, so that what is oldest goes first. */
const keyOf = (message: Message) => message.timestamp! + message.messageId;

/**
 * @param read rows as they are kept now, oldest first, those of other tabs included.
 * @param write falsy: this device cannot keep them.
 * @returns `add`: resolves when it is durable, or known that it cannot be. `list`: what may be sent now, durable, oldest
 * first, other tabs' included. `own`: this tab's messages without waiting, for the page may be gone in a moment; what another
 * tab has sent may be among them.
 */
export function createOutbox(
  read: (limit: number) => Promise<Row[]>,
  write: (rows: Row[], strict?: boolean) => Promise<unknown>,
): [
  add: (message: Message) => Promise<unknown>,
  list: (limit: number) => Promise<Message[]>,
  own: () => Message[],
  remove: (messages: Message[]) => Promise<unknown>,
] {
  const own = new Map<string, Message>();
  /** Could not be made durable: memory is their only place. */
  const unsaved = new Map<string, Message>();
  let writing: Promise<unknown> | undefined;

  return [
    (message) => {
      const key = keyOf(message);
      own.set(key, message);
      const work = write([[key, message]], isPrecious(message)).then((saved) => saved || unsaved.set(key, message));
      writing = Promise.all([writing, work]);
      return work;
    },
    async (limit) => {
      await writing;
      const rows = [...((await read(limit)) as [string, Message][]), ...unsaved];
      return rows.slice(0, limit).map(([, message]) => message);
    },
    () => [...own.values()],
    (messages) => {
      const keys = messages.map(keyOf);
      for (const key of keys) {
        own.delete(key);
        unsaved.delete(key);
      }
      return write(keys.map((key) => [key, undefined]));
    },
  ];
}
