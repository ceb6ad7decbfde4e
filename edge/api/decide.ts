/** Slots for a person whom a server names: for pages and messages that it makes itself. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { IDENTIFIER_LENGTH } from "../../shared/limits.ts";
import { decideInHaste, decideSlots, NOBODY } from "../blocks/decide.ts";
import { answerWithin, DEADLINE_MS, patienceOf } from "../deadline.ts";
import { SLOT_CHARACTERS, SLOTS } from "../delivery/decide.ts";
import { keepFor } from "../delivery/keep.ts";
import { viewerOf } from "../delivery/viewer.ts";
import { grantedPurposes } from "../profiles/person.ts";
import { readProfileView } from "../profiles/read.ts";
import { newApp } from "./app.ts";
import { DecisionSchema, toDecision } from "./decision.ts";
import { GivenIdentifierSchema, readIdentifier } from "./identifier.ts";
import { findSite } from "./profiles.ts";
import { IsoSchema, json, jsonBody, problemResponse, toIsoOrNull } from "./schemas.ts";

const DecideRequestSchema = z
  .strictObject({
    profile: z
      .union([z.string().max(IDENTIFIER_LENGTH), GivenIdentifierSchema])
      .optional()
      .openapi({
        description:
          "The id of a profile, or an identifier of it. Left out, or not known: somebody of whom nothing is known.",
      }),
    slots: z.array(z.string().min(1).max(SLOT_CHARACTERS)).min(1).max(SLOTS),
    context: z.record(z.string(), z.unknown()).optional().openapi({
      description: "The request that the slots are for, as rules see it: page.*, device.*, locale, timezone.",
    }),
  })
  .openapi("ServerDecideRequest", {
    example: { profile: { kind: "userId", value: "u-42" }, slots: ["hero"], context: { page: { path: "/sale" } } },
  });

const ServerDecisionsSchema = z
  .object({
    profileId: z.string().nullable().openapi({ description: "Null for somebody of whom nothing is known." }),
    slots: z.record(
      z.string(),
      z.object({
        html: z.string().nullable().openapi({ description: "Null: what the page has stays." }),
        decision: DecisionSchema,
      }),
    ),
    segments: z.record(z.string(), IsoSchema.nullable()).openapi({ description: "Memberships, each with its until." }),
    until: IsoSchema.nullable().openapi({ description: "Until when all of it holds if nothing new happens." }),
  })
  .openapi("ServerDecisions");

export const decide = newApp().openapi(
  createRoute({
    method: "post",
    path: "/",
    summary: "Decide slots for a person, and render them",
    description: `For pages that a server makes: it names the person, and puts the HTML into its own. Nothing is stored. Who has seen it, it says itself:
track "Attune Exposure" with the properties decision, slot, block, variant, reason. A profile that storage does not give within ${DEADLINE_MS} ms
counts as not known: what anybody gets, with reason \`error\` where that needs somebody's data. Cache-Control says how long the answer may be kept for this person.`,
    tags: ["Blocks"],
    request: jsonBody(DecideRequestSchema),
    responses: { 200: json(ServerDecisionsSchema, "A decision for each slot."), ...problemResponse },
  }),
  async (c) => {
    const { profile: asked, slots, context } = c.req.valid("json");
    const now = c.get("now");
    const live = await findSite(c);
    const by =
      asked === undefined || typeof asked === "string"
        ? { id: asked ?? "" }
        : { identifier: readIdentifier(live, asked, "/profile") };
    const reading = asked === undefined ? null : readProfileView(c.env.DB, live, by, now);
    const read =
      reading &&
      (await answerWithin(
        patienceOf(c.env, DEADLINE_MS),
        reading.then((profile) => ({ profile })),
      ));
    const isLate = reading !== null && read === null;
    const profile = read?.profile ?? null;
    const viewer = profile
      ? viewerOf(profile.person)
      : { ...NOBODY, consent: grantedPurposes({}, live.manifest.settings.consentDefault) };
    const choose = isLate ? decideInHaste : decideSlots;
    const answers = Object.entries(choose(live, [...new Set(slots)], viewer, context, now));
    const decided = answers.map(([slot, { html, decision }]) => [slot, { html, decision: toDecision(decision) }]);
    const untils = [viewer.wakesAt, ...answers.map(([, { until }]) => until)].filter((at) => at !== null);
    const until = isLate ? now : untils.length ? Math.min(...untils) : null;
    const isKept = answers.every(([, { decision }]) => decision.until !== now);
    c.header("cache-control", isKept ? keepFor(until, now) : "no-store");
    return c.json(
      {
        profileId: profile?.id ?? null,
        slots: Object.fromEntries(decided),
        segments: Object.fromEntries(Object.entries(viewer.segments).map(([key, [, at]]) => [key, toIsoOrNull(at)])),
        until: toIsoOrNull(until),
      },
      200,
    );
  },
);
