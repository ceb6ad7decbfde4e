/** Messages that the Worker has not acked yet. Knows how long to keep one, not how it is sent. */
import type { Message } from "../../shared/event.ts";
import type { IngestAnswer, ProblemDocument } from "../../shared/wire.ts";
import type { Transact } from "./database.ts";
import { emit } from "./emitter.ts";

/** So many are kept, about 10 MB, and as many more are added before they are counted again. */
const ROWS = 9_000;
const ROWS_MORE = 1_000;

/** What was answered for messages: a problem is one of all of them. */
export type Verdict = Partial<IngestAnswer & ProblemDocument>;

/** 1 for who somebody is, and orders: worth waiting for the disk, and the last to go when there is no more room. */
const weigh = ({ type, event }: Message) => +/^(identify|alias|group|track Order )/.test(`${type} ${event}`);

/**
 * The database numbers messages (`seq`); one that only memory holds has no number.
 * @returns `add`: resolves when it is durable, or known that it cannot be. `list`: what may be sent now, oldest first,
 * other tabs' included; `limit` holds for those of the database. `own`: what this page knows of that without waiting, for
 * it may be gone in a moment; what another tab has sent may be among them, what the database is just writing is not.
 * `settle`: these are no longer kept; says which are acked, and which are not.
 */
export function createOutbox(
  run: Transact,
  signal: AbortSignal,
): [
  add: (message: Message) => Promise<void>,
  list: (limit?: number) => Promise<Message[]>,
  own: () => Message[],
  settle: (messages: Message[], verdict: Verdict) => Promise<void>,
] {
  let known: Message[] = [];
  /** The database has not been given these yet: it is being opened. */
  const early = new Set<Message>();
  /** The page is. */
  let going = false;

  /** Sent at once, before the database can answer, and so under no number that it would give: those are whole. */
  const hasten = (message: Message) => {
    message.seq = Math.random();
    known.push(message);
  };

  const list = async (limit?: number) => {
    // Whoever asks is there.
    going = false;
    const kept = await run<Message[]>((store) => store.getAll(null, limit));
    if (kept) known = [...kept, ...known.filter(({ seq }) => !seq)];
    return known.slice(0, limit);
  };
  const settle = async (messages: Message[], verdict: Verdict) => {
    const { warnings, rejected = messages.map((_, index) => ({ index, problem: verdict })) } = verdict;
    known = known.filter((message) => !messages.includes(message));
    const acked = new Set(messages);
    for (const { index, problem } of rejected) {
      const message = messages[index]!;
      acked.delete(message);
      emit("rejected", { message, problem });
    }
    if (acked.size) emit("ack", { messageIds: [...acked].map(({ messageId }) => messageId), warnings });
    // Told before it is done: the page may be gone by then, and the next one finds nothing to tell.
    await run((store): undefined => {
      for (const { seq = 0 } of messages) store.delete(seq);
    }, "relaxed");
  };

  addEventListener(
    "pagehide",
    () => {
      going = true;
      early.forEach(hasten);
    },
    { signal, capture: true },
  );
  return [
    async (said) => {
      const message = { ...said };
      if (going) hasten(message);
      else early.add(message);
      const write = (store: IDBObjectStore) => {
        early.delete(message);
        return store.put(message);
      };
      const seq = await run(write, weigh(message) ? "strict" : "relaxed");
      early.delete(message);
      if (!message.seq) known.push({ ...message, seq } as Message);
      if (((seq as number) ?? known.length) % ROWS_MORE) return;
      await list();
      const messages = [...known].sort((a, b) => weigh(a) - weigh(b)).slice(0, -ROWS);
      await settle(messages, { title: "The outbox is full" });
    },
    list,
    () => known,
    settle,
  ];
}
