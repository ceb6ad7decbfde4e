/** Profiles as developers read them: by id or by any of their identifiers, with where each trait came from, and their events. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import type { Purpose } from "../../shared/consent.ts";
import { EVENT_TYPES } from "../../shared/event.ts";
import { IDENTIFIER_KINDS, type Identifier, SOURCES, splitIdentifier } from "../../shared/identifier.ts";
import { IDENTIFIER_LENGTH, NAME_LENGTH } from "../../shared/limits.ts";
import { type EventRow, listTimeline } from "../db/events.ts";
import { type IdentifierRow, listComponent } from "../db/identifiers.ts";
import { CAUSES, type LogRow, selectLog } from "../db/memberships.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { type ProfileKey, type ProfileView, readProfileView } from "../profiles/read.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { readEventCursor, toEventCursor, toEventPlace } from "./event-cursor.ts";
import { IdentifierSchema, readIdentifier } from "./identifier.ts";
import {
  IsoSchema,
  json,
  PageQuery,
  pageOf,
  problemResponse,
  QueryTimeSchema,
  readCursor,
  toIso,
  toIsoOrNull,
  toPage,
} from "./schemas.ts";

const JsonObjectSchema = z.record(z.string(), z.unknown());

const ConsentSchema = z.object({
  granted: z.boolean(),
  at: IsoSchema.nullable().openapi({ description: "When it was said; null: never, the site's default holds." }),
});

const ProfileSchema = z
  .object({
    id: z.string().openapi({
      description:
        "That of its eldest identifier: links and their removal move it, at times to somebody else. What is to last elsewhere is an identifier.",
    }),
    stableId: z.string().openapi({ description: "What samples and variants are drawn by; survives login and merge." }),
    identifiers: z.array(z.object({ kind: z.string(), value: z.string(), firstSeen: IsoSchema })),
    traits: JsonObjectSchema,
    traitSources: z
      .record(z.string(), z.object({ identifier: IdentifierSchema, source: z.string(), at: IsoSchema }))
      .optional()
      .openapi({
        description: "With provenance=1: where each trait's value comes from. What is nested in a trait comes with it.",
      }),
    segments: z.array(z.object({ key: z.string(), since: IsoSchema, until: IsoSchema.nullable() })),
    consent: z.object({
      necessary: ConsentSchema,
      analytics: ConsentSchema,
      personalization: ConsentSchema,
      marketing: ConsentSchema,
    }),
    firstSeen: IsoSchema.openapi({
      description: "By arrival, whatever time a message says of itself; so are all firstSeen.",
    }),
    lastSeen: IsoSchema,
  })
  .openapi("Profile", {
    example: {
      id: "p_8b1f0c…",
      stableId: "0v1049s0iuxzve",
      identifiers: [
        { kind: "anonymousId", value: "6d1e…", firstSeen: "2026-02-27T09:30:00.000Z" },
        { kind: "userId", value: "u-42", firstSeen: "2026-03-01T12:00:00.000Z" },
      ],
      traits: { plan: "pro" },
      segments: [{ key: "cart-abandoner", since: "2026-03-01T12:00:00.000Z", until: "2026-03-02T12:00:00.000Z" }],
      consent: {
        necessary: { granted: true, at: null },
        analytics: { granted: true, at: "2026-02-27T09:30:00.000Z" },
        personalization: { granted: true, at: "2026-02-27T09:30:00.000Z" },
        marketing: { granted: false, at: "2026-02-27T09:30:00.000Z" },
      },
      firstSeen: "2026-02-27T09:30:00.000Z",
      lastSeen: "2026-03-01T12:00:00.000Z",
    },
  });

const EventSchema = z
  .object({
    messageId: z.string(),
    type: z.string(),
    timestamp: IsoSchema.openapi({ description: "Corrected for the sender's clock." }),
    receivedAt: IsoSchema,
    source: z.enum(SOURCES),
    identifier: IdentifierSchema.openapi({ description: "That it stays with, whatever is linked." }),
  })
  .catchall(z.unknown())
  .openapi("Event", {
    description: "The message as accepted.",
    example: {
      messageId: "m-17",
      type: "track",
      event: "Product Viewed",
      timestamp: "2026-03-01T12:00:00.000Z",
      receivedAt: "2026-03-01T12:00:00.120Z",
      source: "browser",
      identifier: { kind: "anonymousId", value: "6d1e…" },
      properties: { category: "shoes" },
    },
  });

const ChangeSchema = z
  .object({
    segment: z.string(),
    change: z.enum(["enter", "exit"]),
    cause: z.enum(CAUSES).openapi({
      description:
        "event: something happened; time: only the clock moved; rule: the segment changed; identity: profiles were united or parted.",
    }),
    at: IsoSchema,
    version: z.number().int().openapi({ description: "Of the segment then." }),
    profile: z.string().openapi({ description: "As it was known then: it may have been united with this one since." }),
  })
  .openapi("MembershipChange", {
    example: {
      segment: "cart-abandoner",
      change: "enter",
      cause: "event",
      at: "2026-03-01T12:00:00.000Z",
      version: 3,
      profile: "p_8b1f0c…",
    },
  });

const ProvenanceQuery = { provenance: z.enum(["0", "1"]).default("0") };
const ValueSchema = z.string().max(IDENTIFIER_LENGTH).optional();
export const IdentifierQuery = z.strictObject({
  userId: ValueSchema,
  anonymousId: ValueSchema,
  email: ValueSchema,
  phone: ValueSchema,
  kind: ValueSchema.openapi({ description: "Any kind, those that the site adds included, such as card: with value." }),
  value: ValueSchema,
});

const TimelineQuery = PageQuery.extend({
  type: z.enum(EVENT_TYPES).optional(),
  event: z
    .string()
    .max(NAME_LENGTH)
    .optional()
    .openapi({ description: "Its name: of track the event, such as Product Viewed, of page and screen the name." }),
  from: QueryTimeSchema.optional().openapi({ description: "Events of this instant or later." }),
  to: QueryTimeSchema.optional().openapi({ description: "Events before this instant." }),
});

export const params = z.object({ id: z.string().max(IDENTIFIER_LENGTH) });

export const profiles = newApp()
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "Read the profile that an identifier leads to",
      tags: ["Profiles"],
      request: { query: IdentifierQuery.extend(ProvenanceQuery) },
      responses: { 200: json(ProfileSchema, "The profile."), ...problemResponse },
    }),
    async (c) => {
      const { provenance, ...named } = c.req.valid("query");
      const live = await findSite(c);
      return answerProfile(c, live, { identifier: readNamed(live, named) }, provenance);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}",
      summary: "Read a profile",
      tags: ["Profiles"],
      request: { params, query: z.object(ProvenanceQuery) },
      responses: {
        200: json(ProfileSchema, "The profile. Of one that was merged the current one: see id, and Content-Location."),
        ...problemResponse,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      return answerProfile(c, await findSite(c), { id }, c.req.valid("query").provenance);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}/events",
      summary: "List a profile's events, the newest first",
      tags: ["Profiles"],
      request: { params, query: TimelineQuery },
      responses: { 200: json(pageOf(EventSchema, "EventPage"), "A page of events."), ...problemResponse },
    }),
    async (c) => {
      const { limit, cursor, event: name, ...filter } = c.req.valid("query");
      const place = readEventCursor(cursor);
      const nodes = await findComponent(c, c.req.valid("param").id);
      const owners = nodes.map(({ identifier }) => identifier);
      const before = toEventPlace(place, nodes);
      const rows = await listTimeline(c.env.DB, siteOf(c), owners, limit + 1, before, { ...filter, name });
      const { data, next } = toPage(rows, limit, (row) => toEventCursor(row, nodes));
      return c.json({ data: data.map(toEvent), next }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}/log",
      summary: "List the segments that a profile came into and left, the newest first",
      tags: ["Profiles"],
      request: { params, query: PageQuery },
      responses: { 200: json(pageOf(ChangeSchema, "MembershipLog"), "A page of the log."), ...problemResponse },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const before = readCursor(cursor, z.number(), Number.MAX_SAFE_INTEGER);
      const ids = (await findComponent(c, c.req.valid("param").id)).map(({ birthId }) => birthId);
      const { results } = await selectLog(c.env.DB, siteOf(c), ids, before, limit + 1).all<LogRow>();
      const { data, next } = toPage(results, limit, ({ id }) => id);
      return c.json({ data: data.map(toChange), next }, 200);
    },
  );

/** The identifiers of the profile that an id, of now or of any time, leads to now. @throws Problem `not-found` */
export async function findComponent(c: ApiContext, id: string): Promise<IdentifierRow[]> {
  const nodes = await listComponent(c.env.DB, siteOf(c), id);
  if (!nodes.length) throw new Problem("not-found", "There is no such profile.");
  return nodes;
}

/** The one identifier that a query names. @throws Problem where it names none, or several, or one that identifies nobody */
export function readNamed(live: LiveSite, { kind, value, ...short }: z.infer<typeof IdentifierQuery>): Identifier {
  const given: { kind: string; value: string }[] = [];
  for (const kind of IDENTIFIER_KINDS) if (short[kind] !== undefined) given.push({ kind, value: short[kind] });
  if (kind !== undefined && value !== undefined) given.push({ kind, value });
  if (given.length !== 1 || (kind === undefined) !== (value === undefined)) {
    throw new Problem("invalid-request", `Give exactly one of ${IDENTIFIER_KINDS.join(", ")}, or kind and value.`);
  }
  return readIdentifier(live, given[0]!, null);
}

/** @throws Problem `not-found` where the site was deleted meanwhile */
export async function findSite(c: ApiContext): Promise<LiveSite> {
  const live = await readSite(c.env, siteOf(c), c.get("now"));
  if (!live) throw new Problem("not-found", "The site is gone.");
  return live;
}

async function answerProfile(c: ApiContext, live: LiveSite, by: ProfileKey, provenance: "0" | "1") {
  const view = await readProfileView(c.env.DB, live, by, c.get("now"));
  if (!view) throw new Problem("not-found", "There is no such profile.");
  return c.json(toAnswer(view, provenance === "1"), 200, { "content-location": `/api/profiles/${view.id}` });
}

function toAnswer(view: ProfileView, provenance: boolean): z.infer<typeof ProfileSchema> {
  const { id, stableId, identifiers, traits, traitSources, segments, consent, firstSeen, lastSeen } = view;
  return {
    id,
    stableId,
    identifiers: identifiers.map(({ kind, value, firstSeen }) => ({ kind, value, firstSeen: toIso(firstSeen) })),
    traits,
    ...(provenance && { traitSources: toTraitSources(traitSources) }),
    segments: segments.map(({ key, since, until }) => ({ key, since: toIso(since), until: toIsoOrNull(until) })),
    consent: {
      necessary: toConsent(consent.necessary),
      analytics: toConsent(consent.analytics),
      personalization: toConsent(consent.personalization),
      marketing: toConsent(consent.marketing),
    },
    firstSeen: toIso(firstSeen),
    lastSeen: toIso(lastSeen),
  };
}

function toTraitSources(sources: ProfileView["traitSources"]) {
  return Object.fromEntries(
    [...sources].map(([trait, { identifier, source, at }]) => [
      trait,
      { identifier: splitIdentifier(identifier), source, at: toIso(at) },
    ]),
  );
}

function toConsent({ granted, at }: ProfileView["consent"][Purpose]): z.infer<typeof ConsentSchema> {
  return { granted, at: toIsoOrNull(at) };
}

function toEvent({ messageId, type, at, receivedAt, source, owner, message }: EventRow): z.infer<typeof EventSchema> {
  const identifier = splitIdentifier(owner);
  return { ...message, messageId, type, timestamp: toIso(at), receivedAt: toIso(receivedAt), source, identifier };
}

function toChange({ profileId, segmentKey, change, cause, at, segmentVersion }: LogRow): z.infer<typeof ChangeSchema> {
  return { segment: segmentKey, change, cause, at: toIso(at), version: segmentVersion, profile: profileId };
}
