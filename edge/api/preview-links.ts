/** Links that show a preview to people without a key: made, listed, taken back. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { deletePreview, insertPreview, listPreviews, type SharedPreview } from "../db/previews.ts";
import { previewBlock, type SharedAsked } from "../preview/preview.ts";
import { Problem } from "../problem.ts";
import { signToken } from "../tokens.ts";
import { type ApiContext, newApp, siteOf } from "./app.ts";
import { BlockAskedShape, isOneThing } from "./block-preview.ts";
import { resolvePerson } from "./person.ts";
import {
  IsoSchema,
  json,
  jsonBody,
  NameSchema,
  PageQuery,
  pageOf,
  problemResponse,
  readCursor,
  toIso,
  toPage,
} from "./schemas.ts";
import { newId } from "./secrets.ts";

const DAY_MS = 86_400_000;
const DAYS = { most: 30, default: 7 };
const PERSONAS = 20;

const NewLinkSchema = z
  .strictObject({
    ...BlockAskedShape,
    personas: z
      .array(z.strictObject({ name: NameSchema, profile: BlockAskedShape.profile }))
      .max(PERSONAS)
      .optional()
      .openapi({ description: "Others for whom it can be looked at: whoever has the link chooses by name." }),
    expiresInDays: z.int().min(1).max(DAYS.most).default(DAYS.default),
  })
  .refine(isOneThing.check, isOneThing.message)
  .openapi("NewPreviewLink", {
    description: "What POST /api/blocks/preview takes. Without `now` the link shows the moment at which it is opened.",
    example: { block: "hero", slot: "hero", profile: { traits: { plan: "pro" } }, expiresInDays: 14 },
  });

const LinkSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    block: z.string().nullable(),
    slot: z.string().nullable(),
    profile: z.string().nullable().openapi({ description: "An id of the stored profile; null: a made-up person." }),
    createdAt: IsoSchema,
    expiresAt: IsoSchema,
  })
  .openapi("PreviewLink");

export const previewLinks = newApp()
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Make a link that shows a preview to whoever has it",
      description:
        "No account is needed to open it: who has the link sees what that person would see, and the sentences that say why, in which values of theirs may be. Of a stored person only an id is kept; a made-up one is kept until the link expires or is deleted.",
      tags: ["Blocks"],
      request: jsonBody(NewLinkSchema),
      responses: { 201: json(LinkSchema, "The link."), ...problemResponse },
    }),
    async (c) => {
      const { expiresInDays, ...given } = c.req.valid("json");
      const now = c.get("now");
      const { personas, ...asked } = await resolvePerson(c, given);
      // What cannot be shown now is refused here, where somebody can mend it.
      await previewBlock(c.env, siteOf(c), asked, now);
      const others: NonNullable<SharedAsked["personas"]> = [];
      for (const [index, persona] of (personas ?? []).entries()) {
        try {
          const other = await resolvePerson(c, persona);
          await previewBlock(c.env, siteOf(c), { ...asked, profile: other.profile }, now);
          others.push(other);
        } catch (error) {
          throw pointInto(`/personas/${index}`, error);
        }
      }
      const request: SharedAsked = { ...asked, ...(others.length && { personas: others }) };
      const link = { id: newId("preview", now), request, createdAt: now, expiresAt: now + expiresInDays * DAY_MS };
      await insertPreview(c.env.DB, siteOf(c), link);
      return c.json(await toAnswer(c, link), 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "List the links that have not expired",
      tags: ["Blocks"],
      request: { query: PageQuery },
      responses: {
        200: json(pageOf(LinkSchema, "PreviewLinkPage"), "A page of links, the oldest first."),
        ...problemResponse,
      },
    }),
    async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const page = { after: readCursor(cursor, z.string(), ""), limit: limit + 1, now: c.get("now") };
      const { data, next } = toPage(await listPreviews(c.env.DB, siteOf(c), page), limit, ({ id }) => id);
      return c.json({ data: await Promise.all(data.map((link) => toAnswer(c, link))), next }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/{id}",
      summary: "Take a link back: it shows nothing from now on",
      tags: ["Blocks"],
      request: { params: z.object({ id: z.string().max(64) }) },
      responses: { 200: json(LinkSchema, "The link as it was."), ...problemResponse },
    }),
    async (c) => {
      const link = await deletePreview(c.env.DB, siteOf(c), c.req.valid("param").id);
      if (!link) throw new Problem("not-found");
      return c.json(await toAnswer(c, link), 200);
    },
  );

/** A problem with a profile, as one of the profile in that place. */
function pointInto(place: string, error: unknown): unknown {
  if (!(error instanceof Problem) || !error.errors?.every(({ pointer }) => pointer.startsWith("/profile")))
    return error;
  const errors = error.errors.map((it) => ({ ...it, pointer: place + it.pointer }));
  return new Problem(error.slug, error.message, { errors });
}

async function toAnswer(c: ApiContext, link: SharedPreview): Promise<z.infer<typeof LinkSchema>> {
  const { id, request, createdAt, expiresAt } = link;
  const token = await signToken(c.env, "preview", { siteId: siteOf(c), id, expiresAt });
  return {
    id,
    url: new URL(`/preview/${token}`, c.req.url).href,
    block: request.block ?? null,
    slot: request.slot ?? null,
    profile: typeof request.profile === "string" ? request.profile : null,
    createdAt: toIso(createdAt),
    expiresAt: toIso(expiresAt),
  };
}
