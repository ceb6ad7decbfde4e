/**
 * Sends messages and sees to it that none is lost: a message leaves the outbox when the Worker answered for it, never
 * before. Batches by count, bytes and time; retries with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) and minds Retry-After.
 */
import type { JsonObject, Message } from "../../shared/event.ts";
import type { DeviceState, IngestAnswer } from "../../shared/wire.ts";
import { countBytes, stringify } from "./clean.ts";
import { emit } from "./emitter.ts";
import { lock } from "./lock.ts";
import type { Verdict } from "./outbox.ts";

const BATCH_EVENTS = 100;
/**
 * keepalive requests share 64 KiB in flight; what is around the messages needs some of it. No other batch is larger: it
 * gets through a slow line in time, and through narrow proxies.
 */
const BATCH_BYTES = 48_000;
const FLUSH_EVENTS = 20;
const FLUSH_IDLE_MS = 2_000;
const BACKOFF_MS = 1_000;
/** No page waits for longer, whatever the Worker says. */
const WAIT_LIMIT_MS = 300_000;
const BATCH_MS = 15_000;
/** Somebody looks at a slot that waits. */
const DECIDE_MS = 5_000;

/**
 * @param name of the lock: one of the tabs that share the outbox sends at a time.
 * @param own messages that can be had without waiting.
 * @param settle takes what came of messages.
 * @param device what it says of itself with each request.
 * @param again hears that the Worker may be reached now.
 * @returns `poke`: one more message waits. `flush`: sends all that waits; resolves when nothing does, or when the Worker
 * cannot be reached now. `carry`: one request for an answer that takes along what waits; undefined where none came.
 */
export function createDelivery(
  name: string,
  endpoint: string,
  writeKey: string,
  device: () => DeviceState,
  list: (limit: number) => Promise<Message[]>,
  own: () => Message[],
  settle: (messages: Message[], verdict: Verdict) => Promise<void>,
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
  /** The newest question; messages are under way with it. */
  let asking: Promise<unknown> | undefined;
  let timer: ReturnType<typeof setTimeout>;

  const arm = (delay: number) => {
    clearTimeout(timer);
    timer = setTimeout(flush, delay);
  };

  /**
   * One request: of the messages, oldest first, as many as fit, and none that is under way.
   * @param request what is asked besides; without it, a request that has no message is not made, nor one in a pause.
   * @returns undefined: the messages are still in the outbox.
   */
  const send = async <A extends IngestAnswer>(waiting: Message[], request?: JsonObject): Promise<A | undefined> => {
    let left = BATCH_BYTES;
    const messages = waiting.filter((message) => {
      if (left < 0 || underway.has(message.messageId)) return false;
      left -= countBytes(message) + 1;
      return left > 0;
    });
    // Consent was withdrawn while they were read.
    if (signal.aborted || (!request && (pausing || !messages[0]))) return;
    for (const { messageId } of messages) underway.add(messageId);
    let response: Response | undefined;
    try {
      const body = {
        writeKey,
        sentAt: new Date().toISOString(),
        ...device(),
        ...request,
        [request ? "events" : "batch"]: messages,
      };
      // A string as body goes as text/plain: no preflight.
      response = await fetch(endpoint + (request ? "/decide" : "/batch"), {
        method: "POST",
        body: stringify(body),
        // The page may be going.
        keepalive: !request,
        // Whoever withdraws does not want its cookie set by an answer that is still on its way.
        signal: AbortSignal.any?.([signal, AbortSignal.timeout(request ? DECIDE_MS : BATCH_MS)]),
      });
      const { status } = response;
      // Only the Worker's own words count; a captive portal's page fails here.
      const answer = await response.json();
      // Refused for good is 4xx, but neither 408 nor 429. What is wrong with the question is not wrong with the messages:
      // they go on by themselves.
      if (signal.aborted || (!answer.success && (request || !/4(?!08|29)../.test(`${status}`)))) throw answer;
      // Not durable yet: they are sent again.
      if (answer.pending) arm(FLUSH_IDLE_MS);
      else await settle(messages, answer);
      failures = 0;
      return answer;
    } catch (error) {
      if (signal.aborted) return;
      const backoff = Math.random() * BACKOFF_MS * 2 ** failures++;
      const retryAfter = response?.headers.get("Retry-After") as string;
      const told = Number(retryAfter) * 1_000 || Date.parse(retryAfter) - Date.now() || 0;
      arm(Math.min(WAIT_LIMIT_MS, Math.max(backoff, told)));
      pausing = true;
      emit("error", { error });
    } finally {
      for (const { messageId } of messages) underway.delete(messageId);
    }
  };

  const take = () => list(BATCH_EVENTS + underway.size);

  const flush = async () => {
    pausing = false;
    again();
    await lock(name, async () => {
      while (await send(await take()));
    });
    await asking;
  };

  /** What is known right now: the page may be going. */
  const part = () => {
    send(own());
  };

  addEventListener("online", flush, { signal });
  addEventListener("pagehide", part, { signal });
  addEventListener("visibilitychange", part, { signal });

  return [
    () => pausing || arm(own().length < FLUSH_EVENTS ? FLUSH_IDLE_MS : 0),
    flush,
    async (request) => {
      const answering = send<never>(await take(), request);
      asking = answering;
      return answering;
    },
  ];
}
