/** Messages that the Worker has not acked yet. Knows how long to keep one, not how it is sent. */
import type { Message } from "../../shared/event.ts";
import type { Transact } from "./database.ts";
import { emit } from "./emitter.ts";

/** So many are kept, about 10 MB, and as many more are added before they are counted again. */
const ROWS = 9_000;
const ROWS_MORE = 1_000;

/** Who somebody is, and orders: worth waiting for the disk, and the last to go when there is no more room. */
const isPrecious = ({ type, event }: Message) => /^(identify|alias|group|track Order )/.test(`${type} ${event}`);

/**
 * The database numbers messages (`seq`); one that only memory holds has no number.
 * @returns `add`: resolves when it is durable, or known that it cannot be. `list`: what may be sent now, oldest first,
 * other tabs' included. `own`: this tab's messages without waiting, for the page may be gone in a moment; what another
 * tab has sent may be among them, what is being written is not.
 */
export function createOutbox(
  run: Transact,
  signal: AbortSignal,
): [
  add: (message: Message) => Promise<unknown>,
  list: (limit: number) => Promise<Message[]>,
  own: () => Message[],
  remove: (messages: Message[]) => Promise<unknown>,
] {
  const own = new Map<string, Message>();
  /** The page is: what comes now is sent at once, before the database can answer, and so without its number. */
  let going = false;
  let writing: Promise<unknown> | undefined;

  const read = async (limit?: number): Promise<Message[]> => {
    const mine = [...own.values()];
    const kept = await run<Message[]>((store) => store.getAll(null, limit));
    if (!kept) return mine;
    return [
      ...kept,
      ...mine.filter(({ messageId, seq }) => {
        // Another tab has sent it.
        if (seq && !kept[0]) own.delete(messageId);
        return !seq;
      }),
    ];
  };
  const remove = (messages: Message[]) => {
    for (const { messageId } of messages) own.delete(messageId);
    const forget = (store: IDBObjectStore): undefined => {
      for (const { seq = 0 } of messages) store.delete(seq);
    };
    return run(forget, "relaxed");
  };
  const write = async (message: Message) => {
    if (going) own.set(message.messageId, message);
    const seq = await run(
      (store) => store.put(going ? { ...message, seq: Math.random() } : message),
      isPrecious(message) ? "strict" : "relaxed",
    );
    own.set(message.messageId, { ...message, seq } as Message);
    if (((seq as number) ?? own.size) % ROWS_MORE) return;
    const messages = (await read()).sort((a, b) => +isPrecious(a) - +isPrecious(b)).slice(0, -ROWS);
    await remove(messages);
    for (const message of messages) emit("rejected", { message, problem: { title: "The outbox is full" } });
  };

  addEventListener("pagehide", () => (going = true), { signal, capture: true });
  addEventListener("pageshow", () => (going = false), { signal });
  return [
    (message) => {
      const before = writing;
      const work = write(message);
      writing = work.then(() => before);
      return work;
    },
    async (limit) => {
      await writing;
      return (await read(limit)).slice(0, limit);
    },
    () => [...own.values()],
    remove,
  ];
}
