/** Sites: created by the administrator, read and changed by the site itself. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { CONSENT_MODES } from "../../shared/consent.ts";
import { completeRules } from "../../shared/identifier.ts";
import { CONSENT_REGIONS, type SiteSettings } from "../../shared/manifest.ts";
import { insertKey, type KeyKind } from "../db/keys.ts";
import { listRefused } from "../db/refused-identifiers.ts";
import { countSite, insertSite, listSites, readSiteRow, type Site, updateSite } from "../db/sites.ts";
import { DEMO_SECRET_KEY, DEMO_WRITE_KEY } from "../manifest/read.ts";
import { revokeSnapshots } from "../manifest/revoked.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, newApp } from "./app.ts";
import { checkIfMatch, toEtag } from "./etag.ts";
import { IdentitySchema } from "./identity.ts";
import { publishRules } from "./publish.ts";
import {
  IsoSchema,
  json,
  jsonBody,
  NameSchema,
  PageQuery,
  pageOf,
  problemResponse,
  QueryTimeSchema,
  readCursor,
  toIso,
  toPage,
} from "./schemas.ts";
import { buildKey, newId } from "./secrets.ts";

const ZoneSchema = z
  .string()
  .refine(isZone, "There is no such IANA time zone.")
  .openapi({ description: "IANA zone in which days are counted.", example: "Europe/Berlin" });

const OriginSchema = z
  .string()
  .refine(isOrigin, "An origin is * or scheme://host[:port], without a path.")
  .openapi({ example: "https://shop.example" });

const OriginsSchema = z.array(OriginSchema).max(100);
const ModeSchema = z.enum(CONSENT_MODES);

const SettingsShape = {
  timeZone: ZoneSchema,
  consentDefault: ModeSchema.openapi({ description: "What a visitor of whom nothing is known has allowed." }),
  consentRegion: z.enum(CONSENT_REGIONS).openapi({
    description: `Where consentDefault holds for browsers. outside-europe: in the EU, the EEA, the United Kingdom and Switzerland, their
territories that have the same law, and wherever Cloudflare cannot tell the country, it is off: nothing is kept or sent before
the visitor, or the page by attune.consent, says so. everywhere: it holds there, too; the site answers for it.`,
  }),
  origins: OriginsSchema.openapi({ description: "Origins that may call from a browser; * allows any." }),
  snapshots: z.boolean().openapi({
    description:
      "Whether what is decided of a profile (random ids, keys of segments, times) is kept in KV too, for a day, so that fewer page views and e-mails read the database.",
  }),
  identity: IdentitySchema,
};

const GivenShape = {
  ...SettingsShape,
  identity: IdentitySchema.partial().openapi({
    description:
      "Who is who. What is left out of it stays as it is, on a new site as new sites have it. Holds for what comes from now on.",
  }),
};

const NewSiteSchema = z
  .strictObject({
    name: NameSchema,
    ...z.object(GivenShape).partial().shape,
    writeKey: z.literal(DEMO_WRITE_KEY).optional().openapi({ description: "Local starts only." }),
    secretKey: z.literal(DEMO_SECRET_KEY).optional().openapi({ description: "Local starts only." }),
  })
  .openapi("NewSite");

const SiteChangeSchema = z
  .strictObject({ name: NameSchema, ...GivenShape })
  .partial()
  .openapi("SiteChange");

const SiteSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    ...SettingsShape,
    version: z.number().int().openapi({ description: "Number of the newest publish." }),
    createdAt: IsoSchema,
  })
  .openapi("Site");

const CreatedSiteSchema = SiteSchema.extend({
  writeKey: z.string().openapi({ description: "Public: it stands in the script tag." }),
  secretKey: z.string().openapi({ description: "Shown this once." }),
}).openapi("CreatedSite");

const SiteSizeSchema = z.object({ profiles: z.number().int(), events: z.number().int() }).openapi("SiteSize");

const DAY_MS = 86_400_000;
/** Days of refused values where the request does not say from when, and at most. */
const REFUSED_DAYS = { given: 30, most: 366 };

const RefusedQuery = z.object({
  from: QueryTimeSchema.optional().openapi({ description: `Left out: ${REFUSED_DAYS.given} days before \`to\`.` }),
  to: QueryTimeSchema.optional().openapi({ description: "Left out: now." }),
});

const RefusedSchema = z
  .object({
    data: z.array(
      z.object({
        day: IsoSchema.openapi({ description: "Its beginning in UTC." }),
        kind: z.string(),
        reason: z.enum(["blocked", "malformed", "too-long"]),
        count: z.number().int(),
      }),
    ),
  })
  .openapi("RefusedIdentifiers");

const SiteParams = z.object({ id: z.string().max(64) });

export const sites = newApp()
  .openapi(
    createRoute({
      method: "post",
      path: "/",
      summary: "Create a site with its first two keys (administrator)",
      tags: ["Sites"],
      request: jsonBody(NewSiteSchema),
      responses: { 201: json(CreatedSiteSchema, "The site; its secret key is shown this once."), ...problemResponse },
    }),
    async (c) => {
      if (c.get("siteId") !== null) throw new Problem("forbidden", "Only the administrator creates sites.");
      const { name, writeKey, secretKey, ...given } = c.req.valid("json");
      if ((writeKey || secretKey) && c.env.ATTUNE_LOCAL !== "1") {
        throw new Problem("forbidden", "The demo keys are for a local start only.");
      }
      const now = c.get("now");
      const { DB } = c.env;
      const site = { id: newId("site", now), name, settings: applyChange(DEFAULTS, given), createdAt: now };
      const keys = [await buildKey("write", now, writeKey), await buildKey("secret", now, secretKey)] as const;
      try {
        await DB.batch([
          insertSite(DB, site),
          ...keys.map((key) => insertKey(DB, key.hash, { ...key.row, siteId: site.id, label: labels[key.row.kind] })),
        ]);
      } catch (error) {
        if (isTaken(error)) throw new Problem("conflict", "A site with these keys exists already.");
        throw error;
      }
      const live = await publishRules(c, site.id);
      const answer = toAnswer({ ...site, version: live.manifest.version });
      c.header("etag", etagOf(answer));
      c.header("location", `/api/sites/${site.id}`);
      return c.json({ ...answer, writeKey: keys[0].secret, secretKey: keys[1].secret }, 201);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/",
      summary: "List sites: all for the administrator, else the key's own",
      tags: ["Sites"],
      request: { query: PageQuery },
      responses: { 200: json(pageOf(SiteSchema, "SitePage"), "A page of sites."), ...problemResponse },
    }),
    async (c) => {
      const siteId = c.get("siteId");
      if (siteId !== null) return c.json({ data: [toAnswer(await findSite(c, siteId))], next: null }, 200);
      const { limit, cursor } = c.req.valid("query");
      const rows = await listSites(c.env.DB, readCursor(cursor, z.string(), ""), limit + 1);
      return c.json(
        toPage(rows.map(toAnswer), limit, ({ id }) => id),
        200,
      );
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}",
      summary: "Read a site",
      tags: ["Sites"],
      request: { params: SiteParams },
      responses: { 200: json(SiteSchema, "The site."), ...problemResponse },
    }),
    async (c) => {
      const answer = toAnswer(await findSite(c, c.req.valid("param").id));
      c.header("etag", etagOf(answer));
      return c.json(answer, 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}/size",
      summary: "How many profiles and events a site holds",
      tags: ["Sites"],
      request: { params: SiteParams },
      responses: { 200: json(SiteSizeSchema, "Counted as it is asked."), ...problemResponse },
    }),
    async (c) => {
      const site = await findSite(c, c.req.valid("param").id);
      return c.json(await countSite(c.env.DB, site.id), 200);
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/{id}/refused-identifiers",
      summary: "How many values that were sent as identifiers are none",
      description: `By day, kind and reason, the newest day first, of at most ${REFUSED_DAYS.most} days. The messages are kept where another of their
identifiers is one. Values are not kept.`,
      tags: ["Sites"],
      request: { params: SiteParams, query: RefusedQuery },
      responses: { 200: json(RefusedSchema, "Counts; days without are left out."), ...problemResponse },
    }),
    async (c) => {
      const site = await findSite(c, c.req.valid("param").id);
      const { to = c.get("now"), from = to - REFUSED_DAYS.given * DAY_MS } = c.req.valid("query");
      const first = Math.max(from, to - REFUSED_DAYS.most * DAY_MS);
      const counts = await listRefused(c.env.DB, site.id, { from: first - (first % DAY_MS), to });
      return c.json({ data: counts.map(({ day, ...rest }) => ({ day: toIso(day), ...rest })) }, 200);
    },
  )
  .openapi(
    createRoute({
      method: "patch",
      path: "/{id}",
      summary: "Change a site's settings; live at once",
      tags: ["Sites"],
      request: { params: SiteParams, ...jsonBody(SiteChangeSchema) },
      responses: { 200: json(SiteSchema, "The site as it is now."), ...problemResponse },
    }),
    async (c) => {
      const site = await findSite(c, c.req.valid("param").id);
      checkIfMatch(c, etagOf(toAnswer(site)));
      const { name = site.name, ...change } = c.req.valid("json");
      const settings = applyChange(site.settings, change);
      if (!(await updateSite(c.env.DB, site.id, { name, settings }, site.version)))
        throw new Problem("version-mismatch");
      // Nobody kept those of before true while they were off.
      if (settings.snapshots && !site.settings.snapshots) await revokeSnapshots(c.env, site.id, c.get("now"));
      const live = await publishRules(c, site.id);
      const answer = toAnswer({ ...site, name, settings, version: live.manifest.version });
      c.header("etag", etagOf(answer));
      return c.json(answer, 200);
    },
  );

const DEFAULTS: SiteSettings = { timeZone: "UTC", consentDefault: "off", origins: [] };
const labels: { [kind in KeyKind]: string } = { write: "First write key", secret: "First secret key" };

async function findSite(c: ApiContext, id: string): Promise<Site> {
  const own = c.get("siteId");
  const site = own === null || own === id ? await readSiteRow(c.env.DB, id) : null;
  if (!site) throw new Problem("not-found");
  return site;
}

function toAnswer({ id, name, settings, version, createdAt }: Omit<Site, "rules">): z.infer<typeof SiteSchema> {
  const identity = completeRules(settings.identity);
  return {
    id,
    name,
    consentRegion: "outside-europe",
    snapshots: false,
    ...settings,
    identity,
    version,
    createdAt: toIso(createdAt),
  };
}

function etagOf(site: { version: number }): string {
  return toEtag(site.version);
}

type Change = { [K in keyof SiteSettings]?: SiteSettings[K] | undefined };

function applyChange(settings: SiteSettings, change: Change): SiteSettings {
  const { timeZone = settings.timeZone, consentDefault = settings.consentDefault, origins = settings.origins } = change;
  const { snapshots = settings.snapshots, consentRegion = settings.consentRegion } = change;
  const identity = change.identity ? { ...settings.identity, ...change.identity } : settings.identity;
  const normal = origins.map((origin) => (origin === "*" ? origin : new URL(origin).origin));
  return {
    ...{ timeZone, consentDefault, origins: [...new Set(normal)] },
    ...(consentRegion && { consentRegion }),
    ...(snapshots !== undefined && { snapshots }),
    ...(identity && { identity }),
  };
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes("UNIQUE constraint failed: keys.hash");
}

function isZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function isOrigin(text: string): boolean {
  if (text === "*") return true;
  const url = URL.parse(text);
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) return false;
  return url.pathname === "/" && !url.search && !url.hash && !url.username && !url.password;
}
