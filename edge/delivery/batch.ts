/** `POST /v1/batch` and its single-event sisters: Segment-compatible ingest, answered per event. */
import type { EventType, JsonObject } from "../../shared/event.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { BATCH_EVENTS } from "../../shared/limits.ts";
import type { IngestAnswer } from "../../shared/wire.ts";
import { isOverload } from "../db/errors.ts";
import type { Env } from "../env.ts";
import { type IngestInput, type IngestResult, ingest } from "../ingest/ingest.ts";
import { type IngestEvent, isObject, parseEvent, parseTime } from "../ingest/parse.ts";
import type { LiveSite } from "../manifest/live.ts";
import { Problem } from "../problem.ts";
import { readJsonBody } from "./request.ts";
import { openSite } from "./site.ts";

/** What came of a list of messages. */
export interface Ingested {
  answer: IngestAnswer;
  result: IngestResult;
}

export async function answerBatch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const receivedAt = Date.now();
  const body = await readJsonBody(request);
  const { live, headers } = await openSite(request, env, context, body, receivedAt);
  const batch = Object.hasOwn(body, "batch") ? body["batch"] : undefined;
  const { answer } = await ingestMessages(env, live, {
    messages: batch,
    envelope: body,
    pointer: "/batch",
    source: sourceOf(request),
    receivedAt,
  });
  return Response.json(answer, { headers: { ...headers, "cache-control": "no-store" } });
}

/** `/v1/track` and the like: the body is the message, the path its type. A bad one is answered as a problem. */
export async function answerSingle(
  request: Request,
  env: Env,
  context: ExecutionContext,
  type: EventType,
): Promise<Response> {
  const receivedAt = Date.now();
  const body = await readJsonBody(request);
  const { live, headers } = await openSite(request, env, context, body, receivedAt);
  const { writeKey: _, ...message } = body;
  const { answer } = await ingestMessages(env, live, {
    messages: [{ ...message, type }],
    envelope: body,
    pointer: "",
    source: sourceOf(request),
    receivedAt,
  });
  const rejected = answer.rejected[0];
  if (rejected) {
    const init = {
      status: rejected.problem.status,
      headers: { ...headers, "content-type": "application/problem+json" },
    };
    return new Response(JSON.stringify(rejected.problem), init);
  }
  return Response.json(answer, { headers: { ...headers, "cache-control": "no-store" } });
}

export interface MessageList {
  messages: unknown;
  /** The request's body: its `sentAt` and `context` hold for all messages. */
  envelope: JsonObject;
  /** JSON Pointer of the list in the body, for problems. */
  pointer: string;
  source: IngestInput["source"];
  receivedAt: number;
  /** Identifiers of somebody to be read in the same round trip. */
  also?: readonly Identifier[];
}

/** Parses and stores messages; each is answered for itself, so that a bad one costs no good one. */
export async function ingestMessages(env: Env, live: LiveSite, list: MessageList): Promise<Ingested> {
  const { messages, envelope, pointer, source, receivedAt, also = [] } = list;
  if (!Array.isArray(messages)) {
    const detail = "must be a list of messages";
    throw new Problem("invalid-request", `${pointer} ${detail}`, { errors: [{ pointer, code: "type", detail }] });
  }
  if (messages.length > BATCH_EVENTS)
    throw new Problem("batch-too-large", `${messages.length} events in a batch, ${BATCH_EVENTS} are allowed`);
  const defaults = {
    sentAt: parseTime(envelope["sentAt"]),
    context: isObject(envelope["context"]) ? envelope["context"] : undefined,
    newId: () => crypto.randomUUID(),
  };
  const rejected: IngestAnswer["rejected"] = [];
  const events: IngestEvent[] = [];
  const indexOf = new Map<IngestEvent, number>();
  messages.forEach((message, index) => {
    try {
      const event = parseEvent(message, receivedAt, defaults);
      events.push(event);
      indexOf.set(event, index);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      rejected.push({ index, problem: error.toDocument() });
    }
  });
  const result = await store(() => ingest(env.DB, live, { events, source, receivedAt, also }));
  for (const [event, problem] of result.rejected)
    rejected.push({ index: indexOf.get(event)!, problem: problem.toDocument() });
  rejected.sort((a, b) => a.index - b.index);
  return { answer: { success: true, accepted: messages.length - rejected.length, rejected }, result };
}

/** Runs a write; a store that cannot take it now is a 503, so that the sender keeps its events and tries again. */
export async function store<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isOverload(error)) throw new Problem("overloaded", undefined, { retryAfterSeconds: 2 });
    throw error;
  }
}

/** Browsers say where a POST comes from; servers do not. */
export function sourceOf(request: Request): IngestInput["source"] {
  return request.headers.has("origin") ? "browser" : "server";
}
