/** The boundary of ingest: bytes become events or problems, one by one, and nothing behind it checks again. */
import * as z from "zod";
import type { Consent } from "../../shared/consent.ts";
import { readConsent } from "../../shared/consent.ts";
import { EVENT_TYPES, type EventType, type HistoryEvent, type JsonObject } from "../../shared/event.ts";
import { type Identifier, isStorable } from "../../shared/identifier.ts";
import { EVENT_BYTES, IDENTIFIER_LENGTH, NAME_LENGTH, PROPERTIES_DEPTH } from "../../shared/limits.ts";
import type { IdentifierRow } from "../db/identifiers.ts";
import type { RefusedIdentifier } from "../identity/decision.ts";
import type { IdentityPolicy } from "../identity/policy.ts";
import { pointerOf } from "../invalid.ts";
import { Problem, type ProblemError } from "../problem.ts";
import { correctTime } from "./clock.ts";
import { type Names, readNames } from "./names.ts";

/** An event as ingest works with it: checked, its time corrected, its identifiers normalized. */
export interface IngestEvent extends HistoryEvent {
  messageId: string;
  /** Its position in the request. */
  place: number;
  /** The strongest identifier that it carries: userId, else anonymousId; or the `Subject`. The event stays with it for ever. */
  owner: Identifier;
  /** Of the owner, where it is a `Subject`. */
  birthId?: string;
  /** All it carries, strongest first, the owner included. */
  identifiers: Identifier[];
  /** `alias`: what `userId` also goes by, as either kind; the known one counts. */
  previous: Identifier[];
  /** Values that it carries, and that identify nobody. */
  refused: RefusedIdentifier[];
  traits: JsonObject;
  /** When it happened by the sender's own clock, if that is earlier: a copy of the message says the same whenever it comes. */
  saidAt: number;
  consent: Consent;
  /** The message as it is stored. */
  body: string;
}

/** An identifier that is stored, of whatever kind: whom the Worker itself tells of. Of nobody else, and not once it is gone. */
export type Subject = Pick<IdentifierRow, "identifier" | "birthId">;

/** The message is not stored; what it says of consent is. */
export class ConsentWithheld extends Problem {
  readonly owner: Identifier;
  readonly consent: Consent;
  readonly at: number;
  readonly saidAt: number;

  constructor(owner: Identifier, consent: Consent, at: number, saidAt: number) {
    super("consent-withheld", "the message says that the person has not allowed analytics");
    this.owner = owner;
    this.consent = consent;
    this.at = at;
    this.saidAt = saidAt;
  }
}

/** The message names nobody, or not whom it must; the values that it gives are counted. */
export class Unidentified extends Problem {
  readonly refused: readonly RefusedIdentifier[];

  constructor(errors: ProblemError[], refused: readonly RefusedIdentifier[]) {
    super("invalid-event", sentence(errors), { errors });
    this.refused = refused;
  }
}

const text = z.string().max(NAME_LENGTH);
/** Senders often hold numeric ids; the number's text is the id. One that is too long names nobody, but does not cost the event. */
const id = z.union(
  [
    z.string(),
    z.number().refine(Number.isSafeInteger, { error: "is a number that loses digits: send it as a string" }),
  ],
  { error: "must be a string" },
);
const object = z.custom<JsonObject>((value) => isObject(value), { error: "must be an object" });
const time = z.union([z.string(), z.number()], { error: "must be an ISO 8601 time" }).transform((value, context) => {
  const at = typeof value === "number" ? value : Date.parse(value);
  if (Number.isFinite(at) && at >= 0 && at <= MAX_TIME) return Math.trunc(at);
  context.addIssue({ code: "custom", message: "must be an ISO 8601 time" });
  return z.NEVER;
});
const MAX_TIME = 8_640_000_000_000_000;

const Schema = z.looseObject({
  type: z.enum(EVENT_TYPES, { error: `must be one of ${EVENT_TYPES.join(", ")}` }),
  messageId: z
    .string()
    .min(1)
    .max(IDENTIFIER_LENGTH)
    .refine(isStorable, { error: "must not hold control characters" })
    .nullish(),
  anonymousId: id.nullish(),
  userId: id.nullish(),
  previousId: id.nullish(),
  groupId: z.union([text, id.options[1]], { error: "must be a string" }).nullish(),
  timestamp: time.nullish(),
  originalTimestamp: time.nullish(),
  sentAt: time.nullish(),
  event: text.nullish(),
  name: text.nullish(),
  context: object.nullish(),
  properties: object.nullish(),
  traits: object.nullish(),
});

/**
 * Checks one message of a batch.
 *
 * @param defaults what the batch says for all of its messages, and who is who on the site. `subject`: whose they are; what they
 *   name themselves is nobody
 * @throws Problem `invalid-event`, `event-too-large` or `consent-withheld`
 */
export function parseEvent(
  value: unknown,
  receivedAt: number,
  defaults: {
    sentAt: number | null;
    context: JsonObject | undefined;
    newId: () => string;
    identity: IdentityPolicy;
    subject?: Subject | undefined;
  },
  place = 0,
): IngestEvent {
  const parsed = Schema.safeParse(value);
  if (!parsed.success) {
    const errors = parsed.error.issues.map((issue) => error(pointerOf(issue.path), issue.code, issue.message));
    throw new Problem("invalid-event", sentence(errors), { errors });
  }
  const message = parsed.data;
  const type = message.type;
  const context = message.context ?? defaults.context;
  const { subject } = defaults;
  const names = subject ? namesOnly(subject) : readNames({ ...message, context }, defaults.identity);
  const { owner, identifiers, previous, refused } = names;
  const errors: ProblemError[] = [];
  if (!owner) {
    const given = message.userId ?? message.anonymousId;
    errors.push(
      given === undefined || given === null
        ? error("/userId", "required", "userId or anonymousId must be given")
        : error(
            "/userId",
            "blocked",
            "neither userId nor anonymousId identifies anybody (empty, too long or a placeholder)",
          ),
    );
  }
  if (type === "track" && !message.event)
    errors.push(error("/event", "required", "a track message needs its event's name"));
  if (type === "group" && !message.groupId) errors.push(error("/groupId", "required", "a group message needs groupId"));
  if (type === "alias" && !previous.length)
    errors.push(error("/previousId", "required", "an alias message needs previousId"));
  // Whatever else it carries is stored, too: D1 reads nothing of a message that is deeper than 1,000 levels somewhere.
  for (const [key, field] of Object.entries({ ...message, context })) {
    if (depthOf(field) > PROPERTIES_DEPTH)
      errors.push(error(pointerOf([key]), "too-deep", `nested deeper than ${PROPERTIES_DEPTH} levels`));
  }
  if (errors.length || !owner) throw new Unidentified(errors, refused);

  const { messageId, sentAt, ...rest } = value as JsonObject;
  if (Object.hasOwn(rest, "seq") && !isSeq(rest["seq"])) delete rest["seq"];
  if (!message.context && context) rest["context"] = context;
  const body = JSON.stringify(rest);
  checkSize(body);
  const traits = traitsOf(type, message);
  const consent = { ...readConsent(defaults.context), ...readConsent(message.context ?? undefined) };
  const said = message.timestamp ?? message.originalTimestamp ?? null;
  const timestamp = correctTime(receivedAt, message.sentAt ?? defaults.sentAt, said);
  const saidAt = Math.min(timestamp, said ?? timestamp);
  if (consent.analytics === false) throw new ConsentWithheld(owner, consent, timestamp, saidAt);
  return {
    type,
    event: (type === "track" ? message.event : message.name) ?? "",
    messageId: message.messageId ?? defaults.newId(),
    place,
    timestamp,
    saidAt,
    properties: message.properties ?? {},
    traits,
    owner,
    ...(subject && { birthId: subject.birthId }),
    identifiers,
    previous,
    refused,
    consent,
    body,
  };
}

function namesOnly({ identifier }: Subject): Names {
  return { owner: identifier, identifiers: [identifier], previous: [], refused: [] };
}

/** What a checked message says of the person: of a group only which one it is. */
export function traitsOf(type: EventType, { traits, groupId }: { traits?: unknown; groupId?: unknown }): JsonObject {
  if (type === "group") return { groupId: String(groupId) };
  return type === "identify" && isObject(traits) ? traits : {};
}

/** A place in the order in which a browser kept its messages. What is none costs nothing but itself. */
function isSeq(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** Reads a batch's own `sentAt`; what cannot be read counts as not said. */
export function parseTime(value: unknown): number | null {
  const parsed = time.safeParse(value);
  return parsed.success ? parsed.data : null;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkSize(body: string): void {
  if (body.length * 3 <= EVENT_BYTES) return;
  const bytes = new TextEncoder().encode(body).length;
  if (bytes > EVENT_BYTES)
    throw new Problem("event-too-large", `the event has ${bytes} bytes, ${EVENT_BYTES} are allowed`);
}

/** Levels of nesting; stops counting where it is certainly too deep. */
export function depthOf(value: unknown, level = 0): number {
  if (typeof value !== "object" || value === null || level > PROPERTIES_DEPTH) return level;
  let depth = level + 1;
  for (const child of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof child === "object" && child !== null) depth = Math.max(depth, depthOf(child, level + 1));
  }
  return depth;
}

function error(pointer: string, code: string, detail: string): ProblemError {
  return { pointer, code, detail };
}

function sentence(errors: ProblemError[]): string {
  return errors.map(({ pointer, detail }) => `${pointer || "the message"} ${detail}`).join("; ");
}
