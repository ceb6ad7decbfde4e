/** The public plane in OpenAPI. Its handlers are in edge/delivery; where they have a schema, it is theirs that stands here. */
import * as z from "zod";
import { CONSENT_MODES, PURPOSES } from "../../shared/consent.ts";
import { REASONS } from "../../shared/decision.ts";
import { EVENT_TYPES } from "../../shared/event.ts";
import {
  BATCH_BYTES,
  BATCH_EVENTS,
  EVENT_BYTES,
  EXTERNAL_IDS,
  IDENTIFIER_LENGTH,
  NAME_LENGTH,
  TRAITS_PER_IDENTIFIER,
} from "../../shared/limits.ts";
import { consentSchema } from "../delivery/consent.ts";
import { decideSchema, SLOT_CHARACTERS, SLOTS } from "../delivery/decide.ts";

const object = z.record(z.string(), z.unknown());
const time = z.string().meta({ format: "date-time" });
const identifier = z.string().max(IDENTIFIER_LENGTH);

const messageShape = {
  messageId: z.string().optional().meta({ description: "The same on every resend: duplicates are stored once." }),
  anonymousId: identifier.optional(),
  userId: identifier.optional(),
  timestamp: time.optional(),
  sentAt: time.optional(),
  seq: z.int().positive().optional().meta({
    description:
      "Of a browser that keeps its messages: the number of this one, one more each time. GET /api/profiles/{id}/delivery says which are missing. What is no positive integer is left out.",
  }),
  context: object.optional().meta({
    description: `context.consent.categoryPreferences holds what the person allows; context.externalIds further identifiers,
\`[{type, id, collection: "users", encoding: "none"}]\`, as Segment has them: at most ${EXTERNAL_IDS}, of kinds that the site has.`,
  }),
};
const properties = object.optional();
const name = z.string().max(NAME_LENGTH);
const bodies = {
  track: { event: name, properties },
  page: { name: name.optional(), properties },
  screen: { name: name.optional(), properties },
  identify: {
    traits: object.optional().meta({ description: "traits.email and traits.phone are identifiers of the person." }),
  },
  alias: { previousId: identifier },
  group: { groupId: identifier, traits: object.optional() },
} satisfies { [type in (typeof EVENT_TYPES)[number]]: z.core.$ZodShape };

const decision = z.object({
  id: z.string(),
  slot: z.string(),
  block: z.string().nullable(),
  variant: z.string().nullable(),
  reason: z.enum(REASONS),
  until: time.nullable(),
});

const envelope = {
  writeKey: z.string().optional().meta({ description: "In place of basic authorization." }),
  sentAt: time.optional(),
};

const device = {
  mode: z
    .enum(CONSENT_MODES)
    .optional()
    .meta({
      description: `What the visitor has allowed. Heard from the Worker's own origin only: with full, the Worker keeps anonymousId, if it is a random
UUID, in an HttpOnly cookie for 400 days; with any other mode it deletes it.`,
    }),
  wiped: z.boolean().optional().meta({
    description:
      "anonymousId is new, because the device's storage was empty. With mode full and the cookie of another id, that one stands in its place: in this request, its messages, and the answer.",
  }),
};
const anonymousId = z.string().optional().meta({ description: "The device's id of before it was wiped: use it." });

const schemas = {
  Message: z.looseObject({ type: z.enum(EVENT_TYPES), ...messageShape }),
  BatchRequest: z.looseObject({
    ...envelope,
    ...device,
    anonymousId: identifier.optional().meta({ description: "Of the device: beside mode and wiped." }),
    source: z.literal("import").optional().meta({
      description: "Of messages that were recorded elsewhere: kept with events and traits. A browser cannot say so.",
    }),
    batch: z.array(z.looseObject({ type: z.enum(EVENT_TYPES), ...messageShape })).max(BATCH_EVENTS),
  }),
  IngestAnswer: z.object({
    success: z.literal(true),
    accepted: z.int().meta({ description: "Events that are durable now, duplicates included." }),
    rejected: z.array(z.object({ index: z.int(), problem: object })),
    anonymousId,
    warnings: z
      .array(
        z.object({ index: z.int(), messageId: z.string(), pointer: z.string(), code: z.string(), detail: z.string() }),
      )
      .optional()
      .meta({
        description: `Of accepted events: the message is stored, something that it says is not, such as traits beyond ${TRAITS_PER_IDENTIFIER} of one identifier. Said when it is first received.`,
      }),
  }),
  DecideRequest: decideSchema.extend({
    ...envelope,
    ...device,
    slots: z
      .array(z.string().min(1).max(SLOT_CHARACTERS))
      .optional()
      .meta({ description: `The first ${SLOTS} are decided; what is no name is left out.` }),
    variants: z
      .record(z.string(), z.string())
      .optional()
      .meta({
        description: `Key of a variant by slot, to try it: shown, with the reason simulated, where nothing stands before it but public segments and what
the request says of itself. Otherwise, and where there is none, the slot is decided as ever.`,
      }),
    token: z.string().nullish().meta({ description: "Of the last answer. One that is void counts as none." }),
    events: z.array(object).optional(),
  }),
  DecideAnswer: z.looseObject({
    slots: z.record(
      z.string(),
      z.object({
        html: z.string().nullable().meta({ description: "Null: keep what the page has." }),
        decision,
      }),
    ),
    segments: z.record(z.string(), time.nullable()).meta({ description: "This visitor's memberships; value = until." }),
    stableId: z.string(),
    anonymousId,
    token: z
      .string()
      .nullable()
      .meta({ description: "Send it with the next decide: most are then answered without storage." }),
    until: time.nullable(),
  }),
  EmailContent: z.object({
    html: z.string(),
    text: z.string().meta({ description: "The same as plain text: links as text (url)." }),
    decision: decision.nullable().meta({ description: "Null for a token that is none." }),
    link: z.url().nullable().meta({ description: "Leads to the link of the decision; null: it has none." }),
    image: z
      .object({
        src: z.url(),
        src2x: z.url(),
        dark: z.url().optional(),
        dark2x: z.url().optional(),
        alt: z.string(),
        width: z.int(),
        height: z.int(),
      })
      .nullable(),
    until: time.nullable().meta({ description: "When the slot may be another; null: it stays." }),
  }),
  ConsentRequest: consentSchema.extend({ ...envelope, mode: device.mode }),
  PublicManifest: z.object({
    version: z.int(),
    timeZone: z.string(),
    consentDefault: z.enum(CONSENT_MODES).meta({
      description: "What a visitor who has not chosen has allowed, where this one is: see the site's consentRegion.",
    }),
    segments: z.array(z.object({ key: z.string(), condition: object })),
    partial: z
      .literal(true)
      .optional()
      .meta({ description: "There are segments that only the edge can decide: ask it for them." }),
    more: z
      .literal(true)
      .optional()
      .meta({ description: "Some conditions use `unless` or `sum`, which the script loads as `attune.rules.js`." }),
  }),
  ...Object.fromEntries(
    EVENT_TYPES.map((type) => [
      schemaNameOf(type),
      z.looseObject({ ...messageShape, ...bodies[type], writeKey: envelope.writeKey }),
    ]),
  ),
};

export function publicSchemas(): { [name: string]: object } {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema, ...rest } = z.toJSONSchema(schema as z.ZodType, { io: "input", unrepresentable: "any" });
      return [name, rest];
    }),
  );
}

export function publicPaths(): { [path: string]: object } {
  const batch = post(
    "Send up to 500 KB of events",
    "BatchRequest",
    "IngestAnswer",
    `Each event is judged alone (32 KB each): rejected ones are listed with their problem, all others are stored. At most ${BATCH_BYTES} bytes, ${EVENT_BYTES} per event.`,
  );
  return {
    "/v1/batch": { post: batch },
    ...Object.fromEntries(
      EVENT_TYPES.map((type) => [
        `/v1/${type}`,
        { post: post(`Send one ${type}`, schemaNameOf(type), "IngestAnswer") },
      ]),
    ),
    "/v1/decide": {
      post: post(
        "Send what happened, and ask for slots, in one round trip",
        "DecideRequest",
        "DecideAnswer",
        `Decides for the device that \`anonymousId\` names, and for whoever is known to use it. A \`userId\` beside it opens nothing, an
identify among \`events\` does: where the device belongs to another user, what is known of that user is not used. With a fresh token the
answer may be five minutes behind what others have sent of the person; what is sent here counts at once.`,
      ),
    },
    "/v1/consent": {
      post: post(
        `Say which of ${PURPOSES.join(", ")} a person grants or withdraws`,
        "ConsentRequest",
        undefined,
        `Where nothing but necessary is left, the device's cookie is deleted, for requests from the Worker's own origin. What is withdrawn holds
at once where \`/v1/decide\` is told of it in \`context.consent\`, too, as the script does; otherwise, with a fresh token of before, within
five minutes.`,
      ),
    },
    "/v1/manifest/{writeKey}": {
      get: {
        summary: "The public segments that a browser can decide, and what consent is assumed where the visitor is",
        tags: ["Public"],
        security: [],
        parameters: [parameter("writeKey")],
        responses: {
          200: answer("PublicManifest", "With an ETag."),
          304: { description: "Not changed since If-None-Match." },
          default: problem(),
        },
      },
    },
    "/e/{token}/{slot}": {
      get: {
        summary: "A slot for the recipient of an e-mail, as it was decided at the first rendering of the send",
        description: `HTML, plain text or JSON, by \`Accept\` or by \`.html\`, \`.txt\`, \`.json\` behind the slot. Always 200, within 400 ms: what anybody
gets for a token that is expired or whose person is gone, nothing for one that is forged.`,
        tags: ["Public"],
        security: [],
        parameters: [parameter("token"), parameter("slot")],
        responses: {
          200: {
            description: "The slot.",
            content: {
              "text/html": { schema: { type: "string" } },
              "text/plain": { schema: { type: "string" } },
              "application/json": { schema: ref("EmailContent") },
            },
          },
        },
      },
    },
    "/e/{token}/{slot}.png": {
      get: {
        summary: "The card of the same decision, painted as it is now",
        description: `At 2× as \`.2x.png\`, for readers whose mail is dark as \`.dark.png\` and \`.dark.2x.png\`. Always 200 with a PNG: one transparent
pixel where there is nothing to paint.`,
        tags: ["Public"],
        security: [],
        parameters: [parameter("token"), parameter("slot")],
        responses: {
          200: { description: "PNG.", content: { "image/png": { schema: { type: "string", format: "binary" } } } },
        },
      },
    },
    "/e/{token}/{slot}/click": {
      get: {
        summary: "To the link of the same decision",
        description: `Only https, to hosts that the block's author wrote or to an origin of the site; to the first of these where the decision has no link.`,
        tags: ["Public"],
        security: [],
        parameters: [parameter("token"), parameter("slot")],
        responses: {
          200: { description: "A page that says that the link is over." },
          302: { description: "Where the link leads." },
        },
      },
    },
  };
}

function schemaNameOf(type: string): string {
  return `${type[0]!.toUpperCase()}${type.slice(1)}Message`;
}

function post(summary: string, request: string, response: string | undefined, description?: string): object {
  return {
    summary,
    ...(description && { description }),
    tags: ["Public"],
    security: [{ writeKey: [] }],
    requestBody: { required: true, content: { "application/json": { schema: ref(request) } } },
    responses: { 200: response ? answer(response, "Stored.") : { description: "Stored." }, default: problem() },
  };
}

function parameter(name: string): object {
  return { name, in: "path", required: true, schema: { type: "string" } };
}

function answer(schema: string, description: string): object {
  return { description, content: { "application/json": { schema: ref(schema) } } };
}

function problem(): object {
  return { description: "A problem (RFC 9457).", content: { "application/problem+json": { schema: ref("Problem") } } };
}

function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}
