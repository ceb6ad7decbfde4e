/**
 * Sends messages and sees to it that none is lost: a message leaves the outbox when the Worker answered for it, never
 * before. Batches by count, bytes and time; retries with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) and minds Retry-After.
 */
import type { JsonObject, Message } from "../../shared/event.ts";
import type { DeviceState, IngestAnswer, ProblemDocument } from "../../shared/wire.ts";
import { countBytes, stringify } from "./clean.ts";
import { emit } from "./emitter.ts";

const BATCH_EVENTS = 100;
/**
 * keepalive requests share 64 KiB in flight; what is around the messages needs some of it. No other batch is larger: it
 * gets through a slow line in time, and through narrow proxies.
 */
const BATCH_BYTES = 48_000;
const FLUSH_EVENTS = 20;
const FLUSH_IDLE_MS = 2_000;
const BACKOFF_MS = 1_000;
const BACKOFF_LIMIT_MS = 60_000;
/** No Worker may silence a page for longer. */
const RETRY_LIMIT_MS = 3_600_000;
const BATCH_MS = 15_000;
/** Somebody looks at a slot that waits. */
const DECIDE_MS = 5_000;

/**
 * @param device what it says of itself with each request.
 * @param lock runs one work at a time among the tabs that share the outbox.
 * @param again hears that the Worker may be reached now.
 * @returns `poke`: one more message waits. `flush`: sends all that waits; resolves when nothing does, or when the Worker
 * cannot be reached now. `carry`: one request for an answer that takes along what waits; undefined where none came.
 */
export function createDelivery(
  endpoint: string,
  writeKey: string,
  device: () => DeviceState,
  list: (limit: number) => Promise<Message[]>,
  own: () => Message[],
  remove: (messages: Message[], answer: Partial<IngestAnswer>) => Promise<unknown>,
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
  /** The Worker cannot be reached, or wants to be left alone, until the timer rings. */
  let pausing = false;
  let timer: ReturnType<typeof setTimeout>;

  const arm = (delay: number) => {
    clearTimeout(timer);
    timer = setTimeout(flush, delay);
  };

  /** As many of them as fit, oldest first, and none that is under way. */
  const choose = (messages: Message[]) => {
    let left = BATCH_BYTES;
    return messages.filter((message) => {
      if (left < 0 || underway.has(message.messageId)) return false;
      left -= countBytes(message) + 1;
      return left > 0;
    });
  };

  /** Undefined: the messages are still in the outbox, or were refused as a whole. */
  const send = async <A extends IngestAnswer>(
    messages: Message[],
    request?: JsonObject,
    keepalive = false,
  ): Promise<A | undefined> => {
    // Consent was withdrawn while they were read.
    if (signal.aborted) return;
    let retryAfter: string | null;
    for (const { messageId } of messages) underway.add(messageId);
    try {
      const body = {
        writeKey,
        sentAt: new Date().toISOString(),
        ...device(),
        ...request,
        [request ? "events" : "batch"]: messages,
      };
      // A string as body goes as text/plain: no preflight.
      const response = await fetch(endpoint + (request ? "/decide" : "/batch"), {
        method: "POST",
        body: stringify(body),
        keepalive,
        // Whoever withdraws does not want its cookie set by an answer that is still on its way.
        signal: AbortSignal.any?.([signal, AbortSignal.timeout(request ? DECIDE_MS : BATCH_MS)]),
      });
      const { ok, status, headers } = response;
      retryAfter = headers.get("Retry-After");
      // Only the Worker's own words count; a captive portal's page fails here.
      const answer = await response.json();
      if (signal.aborted) return;
      // What is wrong with the question is not wrong with the messages: they go on by themselves.
      if (!ok && (request || status === 408 || status === 429 || status >= 500)) throw answer;
      const refused = new Map<Message, ProblemDocument>(
        ok
          ? (answer as IngestAnswer).rejected.map(({ index, problem }) => [messages[index]!, problem])
          : messages.map((message) => [message, answer]),
      );
      await remove(messages, answer);
      failures = 0;
      for (const [message, problem] of refused) emit("rejected", { message, problem });
      const messageIds = messages.filter((message) => !refused.has(message)).map(({ messageId }) => messageId);
      const warnings = (answer as IngestAnswer).warnings?.map(({ index, ...warning }) => ({
        messageId: messages[index]!.messageId,
        ...warning,
      }));
      if (messageIds[0]) emit("ack", { messageIds, warnings });
      return ok ? answer : undefined;
    } catch (error) {
      if (signal.aborted) return;
      const backoff = Math.random() * Math.min(BACKOFF_LIMIT_MS, BACKOFF_MS * 2 ** failures++);
      const wait = Number(retryAfter!) * 1_000 || Date.parse(retryAfter!) - Date.now() || 0;
      arm(Math.min(RETRY_LIMIT_MS, Math.max(backoff, wait)));
      pausing = true;
      emit("error", { error });
    } finally {
      for (const { messageId } of messages) underway.delete(messageId);
    }
  };

  const take = async () => choose(await list(BATCH_EVENTS + underway.size));

  const flush = () => {
    clearTimeout(timer);
    pausing = false;
    again();
    return lock(async () => {
      // Several may have waited for the lock.
      while (!signal.aborted && !pausing) {
        const messages = await take();
        if (!messages[0]) return;
        await send(messages);
      }
    });
  };

  /** The page may be going: what is known right now, in one request that outlives it. */
  const part = () => {
    const messages = choose(own());
    if (messages[0] && !pausing) send(messages, undefined, true);
  };

  addEventListener("online", flush, { signal });
  addEventListener("pagehide", part, { signal });
  addEventListener("visibilitychange", part, { signal });

  return [
    () => pausing || arm(own().length < FLUSH_EVENTS ? FLUSH_IDLE_MS : 0),
    flush,
    async (request) => send(await take(), request),
  ];
}
