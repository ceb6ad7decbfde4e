/** `POST /v1/batch` and its single-event sisters: Segment-compatible ingest, answered per event. */
import type { Purpose } from "../../shared/consent.ts";
import type { EventType, JsonObject } from "../../shared/event.ts";
import type { Identifier, Source } from "../../shared/identifier.ts";
import { BATCH_EVENTS } from "../../shared/limits.ts";
import type { IngestAnswer } from "../../shared/wire.ts";
import type { ConsentStatement } from "../db/consents.ts";
import type { Env } from "../env.ts";
import type { RefusedIdentifier } from "../identity/decision.ts";
import { type IngestInput, type IngestResult, ingest, StaleSite } from "../ingest/ingest.ts";
import {
  ConsentWithheld,
  type IngestEvent,
  isObject,
  parseEvent,
  parseTime,
  type Subject,
  Unidentified,
} from "../ingest/parse.ts";
import type { LiveSite } from "../manifest/live.ts";
import { type Background, renewSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { spreadSnapshots } from "../profiles/snapshot.ts";
import { keepDevice, readDeviceCookie, restoreDevice } from "./device.ts";
import { readJsonBody } from "./request.ts";
import { openSite } from "./site.ts";

/** What came of a list of messages. */
export interface Ingested {
  answer: IngestAnswer;
  result: IngestResult;
  /** The site as it was ingested by. */
  live: LiveSite;
}

export async function answerBatch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const receivedAt = Date.now();
  const body = await readJsonBody(request);
  const { live, headers } = await openSite(request, env, context, body, receivedAt);
  const batch = Object.hasOwn(body, "batch") ? body["batch"] : undefined;
  const cookie = readDeviceCookie(request, live.manifest.siteId);
  const anonymousId = restoreDevice(body, batch, cookie);
  const { answer } = await ingestMessages(env, live, {
    background: context,
    messages: batch,
    envelope: body,
    pointer: "/batch",
    source: sourceOf(request, body),
    receivedAt,
  });
  return Response.json(
    { ...answer, ...(anonymousId && { anonymousId }) },
    { headers: { ...headers, ...keepDevice(cookie, body, receivedAt), "cache-control": "no-store" } },
  );
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
    background: context,
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
  /** Takes what is done behind the answer; left out: it is done before. */
  background?: Background;
  messages: unknown;
  /** The request's body: its `sentAt` and `context` hold for all messages. */
  envelope: JsonObject;
  /** JSON Pointer of the list in the body, for problems. */
  pointer: string;
  source: Source;
  receivedAt: number;
  /** Identifiers of somebody to be read in the same round trip. */
  also?: readonly Identifier[];
  /** Whose the messages are, where they name nobody. */
  subject?: Subject;
}

/** One transaction takes events of at most so many owners, and so many characters of them. */
const PART_OWNERS = 100;
const PART_CHARACTERS = 500_000;
/** Versions of a site that may be outdated, one after the other, before the sender is asked to come back. */
const ATTEMPTS = 3;

/**
 * Parses and stores messages; each is answered for itself, so that a bad one costs no good one. Long lists are stored in
 * parts, one transaction after another: a list that was stored in part is sent again whole, and what is stored is known.
 */
export async function ingestMessages(env: Env, live: LiveSite, list: MessageList): Promise<Ingested> {
  const { background, messages, envelope, pointer, source, receivedAt, also = [], subject } = list;
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
    identity: live.identity,
    subject,
  };
  const rejected: IngestAnswer["rejected"] = [];
  const warnings: NonNullable<IngestAnswer["warnings"]> = [];
  let part = new Part();
  let result: IngestResult | undefined;
  let site = live;
  const flush = async () => {
    const { indexOf, consents, refused } = part;
    const input: IngestInput = { events: [...indexOf.keys()], consents, refused, source, receivedAt, also };
    ({ result, site } = await ingestFresh(env, site, input, background));
    for (const event of result.erased)
      rejected.push({ index: indexOf.get(event)!, problem: new Problem("erased").toDocument() });
    for (const [event, said] of result.warnings)
      warnings.push(...said.map((warning) => ({ index: indexOf.get(event)!, messageId: event.messageId, ...warning })));
    part = new Part();
  };
  for (const [index, message] of messages.entries()) {
    try {
      part.add(parseEvent(message, receivedAt, defaults, index), index);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error instanceof ConsentWithheld) part.addConsent(error);
      if (error instanceof Unidentified) part.refused.push(...error.refused);
      rejected.push({ index, problem: error.toDocument() });
    }
    if (part.isFull) await flush();
  }
  if (!result || !part.isEmpty) await flush();
  rejected.sort((a, b) => a.index - b.index);
  const accepted = messages.length - rejected.length;
  return {
    answer: { success: true, accepted, rejected, ...(warnings.length > 0 && { warnings }) },
    result: result!,
    live: site,
  };
}

/** As much of a list as one transaction takes. */
class Part {
  readonly indexOf = new Map<IngestEvent, number>();
  readonly consents: ConsentStatement[] = [];
  /** Of messages that name nobody. */
  readonly refused: RefusedIdentifier[] = [];
  readonly #owners = new Set<Identifier>();
  #characters = 0;

  get isFull(): boolean {
    return this.#owners.size >= PART_OWNERS || this.#characters >= PART_CHARACTERS;
  }

  get isEmpty(): boolean {
    return !this.#owners.size && !this.refused.length;
  }

  add(event: IngestEvent, index: number): void {
    this.indexOf.set(event, index);
    this.#owners.add(event.owner);
    this.#characters += event.body.length;
  }

  addConsent({ owner, consent, at, saidAt }: ConsentWithheld): void {
    for (const [purpose, granted] of Object.entries(consent) as [Purpose, boolean][])
      this.consents.push({ identifier: owner, purpose, granted, at, saidAt, source: "message", policyVersion: null });
    this.#owners.add(owner);
  }
}

/** Ingests by the newest version of the site, even where the one that is known here is not it. @throws as `ingest` does */
export async function ingestFresh(
  env: Env,
  live: LiveSite,
  input: IngestInput,
  background?: Background,
): Promise<{ result: IngestResult; site: LiveSite }> {
  let site: LiveSite | null = live;
  for (let attempt = 1; site && attempt <= ATTEMPTS; attempt++) {
    try {
      const result = await ingest(env.DB, site, input);
      const spread = spreadSnapshots(env, live.manifest.siteId, result.marked);
      if (background) background.waitUntil(spread);
      else await spread;
      return { result, site };
    } catch (error) {
      if (!(error instanceof StaleSite)) throw error;
      site = await renewSite(env, live.manifest.siteId, input.receivedAt);
    }
  }
  throw new Problem("overloaded", "the site is being changed", { retryAfterSeconds: 2 });
}

/** Browsers say where a POST comes from; servers do not, and may say that what they send was recorded elsewhere: `source: "import"`. */
export function sourceOf(request: Request, body: JsonObject = {}): Source {
  if (request.headers.has("origin")) return "browser";
  return Object.hasOwn(body, "source") && body["source"] === "import" ? "import" : "server";
}
