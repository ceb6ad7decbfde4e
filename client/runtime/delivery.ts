/**
 * Sends messages and sees to it that none is lost: a message leaves the outbox when the Worker answered for it, never
 * before. Batches by count, bytes and time; retries with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) and minds Retry-After.
 */
import type { JsonObject, Message } from "../../shared/event.ts";
import type { IngestAnswer, ProblemDocument } from "../../shared/wire.ts";
import { countBytes } from "./clean.ts";
import type { Emit } from "./emitter.ts";

const BATCH_EVENTS = 100;
const BATCH_BYTES = 400_000;
/** keepalive requests share 64 KiB in flight; what is around the messages needs some of it. */
const KEEPALIVE_BYTES = 48_000;
const FLUSH_EVENTS = 20;
const FLUSH_IDLE_MS = 2_000;
const BACKOFF_MS = 1_000;
const BACKOFF_LIMIT_MS = 60_000;
const REQUEST_MS = 15_000;

/**
 * @param lock runs one work at a time among the tabs that share the outbox.
 * @param again hears that the Worker may be reached now.
 * @returns `poke`: one more message waits. `flush`: sends all that waits; resolves when nothing does, or when the Worker
 * cannot be reached now. `carry`: one request for an answer that takes along what waits; undefined where none came.
 */
export function createDelivery(
  endpoint: string,
  writeKey: string,
  list: (limit: number) => Promise<Message[]>,
  own: () => Message[],
  remove: (messages: Message[]) => Promise<unknown>,
  emit: Emit,
  lock: (work: () => Promise<void>) => Promise<void>,
  again: () => void,
  signal: AbortSignal,
): [
  poke: () => void,
  flush: () => Promise<void>,
  carry: <A extends IngestAnswer>(request: JsonObject) => Promise<A | undefined>,
] {
  /** Message ids of requests that have no answer yet: not sent twice from here. */
  const underway = new Set<string>();
  let failures = 0;
  let notBefore = 0;
  let timer: ReturnType<typeof setTimeout>;

  const arm = (delay: number) => {
    clearTimeout(timer);
    timer = setTimeout(flush, Math.max(delay, notBefore - Date.now()));
  };

  const fail = (error: unknown, retryAfter?: string | null) => {
    const backoff = Math.random() * Math.min(BACKOFF_LIMIT_MS, BACKOFF_MS * 2 ** failures++);
    notBefore = Date.now() + (Number(retryAfter) * 1_000 || backoff);
    arm(0);
    emit("error", { error });
  };

  /** As many of them as fit, oldest first, and none that is under way. */
  const choose = (messages: Message[], limit: number) =>
    messages.filter((message) => {
      if (underway.has(message.messageId)) return false;
      limit -= countBytes(message) + 1;
      return limit > 0;
    });

  /** Undefined: the messages are still in the outbox, or were refused as a whole. */
  const send = async <A extends IngestAnswer>(
    messages: Message[],
    request?: JsonObject,
    keepalive = false,
  ): Promise<A | undefined> => {
    for (const { messageId } of messages) underway.add(messageId);
    try {
      const body = { writeKey, sentAt: new Date().toISOString(), ...request, [request ? "events" : "batch"]: messages };
      // A string as body goes as text/plain: no preflight.
      const response = await fetch(endpoint + (request ? "/decide" : "/batch"), {
        method: "POST",
        body: JSON.stringify(body),
        keepalive,
        credentials: "omit",
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      const { ok, status } = response;
      // Only the Worker's own words count; a captive portal's page fails here.
      const answer = await response.json();
      if (signal.aborted) return;
      // What is wrong with the question is not wrong with the messages: they go on by themselves.
      if (!ok && (request || status === 408 || status === 429 || status >= 500)) {
        fail(answer, response.headers.get("Retry-After"));
      } else {
        const refused = new Map<Message, ProblemDocument>(
          ok
            ? (answer as IngestAnswer).rejected.map(({ index, problem }) => [messages[index]!, problem])
            : messages.map((message) => [message, answer]),
        );
        await remove(messages);
        failures = notBefore = 0;
        for (const [message, problem] of refused) emit("rejected", { message, problem });
        const messageIds = messages.filter((message) => !refused.has(message)).map(({ messageId }) => messageId);
        if (messageIds[0]) emit("ack", { messageIds });
        return ok ? answer : undefined;
      }
    } catch (error) {
      if (!signal.aborted) fail(error);
    } finally {
      for (const { messageId } of messages) underway.delete(messageId);
    }
  };

  const take = async () => choose(await list(BATCH_EVENTS), BATCH_BYTES);

  const flush = () => {
    clearTimeout(timer);
    again();
    return lock(async () => {
      while (!signal.aborted) {
        const messages = await take();
        if (!messages[0]) return;
        await send(messages);
        if (Date.now() < notBefore) return;
      }
    });
  };

  /** The page may be going: what is known right now, in one request that outlives it. */
  const part = () => {
    const messages = choose(own(), KEEPALIVE_BYTES);
    if (messages[0] && Date.now() >= notBefore) send(messages, undefined, true);
  };

  addEventListener("online", flush, { signal });
  addEventListener("pagehide", part, { signal });
  addEventListener("visibilitychange", part, { signal });

  return [
    () => arm(own().length < FLUSH_EVENTS ? FLUSH_IDLE_MS : 0),
    flush,
    async (request) => send(await take(), request),
  ];
}
