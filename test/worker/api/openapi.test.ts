import { exports } from "cloudflare:workers";
import { hc } from "hono/client";
import { describe, expect, it } from "vitest";
import type { Api } from "../../../edge/api/index.ts";
import { LEAVES } from "../../../edge/segments/schema/leaves.ts";
import { checkCondition } from "../../../edge/segments/schema.ts";
import { type Json, newSite, send } from "./client.ts";

async function readDocument(): Promise<Json> {
  return (await send(null, "GET", "/api/openapi.json")).json();
}

describe("the OpenAPI document", () => {
  it("is 3.1 and has every route of both planes", async () => {
    const document = await readDocument();
    expect(document.openapi).toBe("3.1.0");
    const routes = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.sort()).toEqual(
      [
        "DELETE /api/blocks/{key}",
        "DELETE /api/keys/{id}",
        "DELETE /api/links/{id}",
        "DELETE /api/profiles",
        "DELETE /api/profiles/{id}",
        "DELETE /api/segments/{key}",
        "GET /api/audit",
        "GET /api/audit/chain",
        "GET /api/audit/verify",
        "GET /api/backfill",
        "DELETE /api/blocks/preview/links/{id}",
        "GET /api/blocks",
        "GET /api/blocks/preview/links",
        "GET /api/blocks/{key}",
        "GET /api/blocks/{key}/versions",
        "GET /api/blocks/{key}/versions/{version}",
        "GET /api/conflicts",
        "GET /api/keys",
        "GET /api/profiles",
        "GET /api/profiles/{id}",
        "GET /api/profiles/{id}/conflicts",
        "GET /api/profiles/{id}/delivery",
        "GET /api/profiles/{id}/events",
        "GET /api/profiles/{id}/links",
        "GET /api/profiles/{id}/log",
        "GET /api/profiles/{id}/sends",
        "GET /api/profiles/{id}/traits",
        "GET /api/profiles/{id}/traits/{trait}/history",
        "GET /api/segments",
        "GET /api/segments/warnings",
        "GET /api/segments/{key}",
        "GET /api/segments/{key}/members",
        "GET /api/segments/{key}/size",
        "GET /api/sites",
        "GET /api/sites/{id}",
        "GET /api/sites/{id}/refused-identifiers",
        "GET /api/sites/{id}/size",
        "GET /api/slots",
        "GET /api/traits",
        "GET /e/{token}/{slot}",
        "GET /e/{token}/{slot}.png",
        "GET /e/{token}/{slot}/click",
        "GET /v1/manifest/{writeKey}",
        "PATCH /api/sites/{id}",
        "POST /api/blocks",
        "POST /api/blocks/preview",
        "POST /api/blocks/preview/links",
        "POST /api/blocks/{key}/publish",
        "POST /api/blocks/{key}/rollback",
        "POST /api/decide",
        "POST /api/email/tokens",
        "POST /api/keys",
        "POST /api/links",
        "POST /api/links/preview",
        "POST /api/segments",
        "POST /api/segments/estimate",
        "POST /api/segments/import",
        "POST /api/segments/lint",
        "POST /api/segments/preview",
        "POST /api/segments/{key}/members",
        "POST /api/sites",
        "POST /v1/alias",
        "POST /v1/batch",
        "POST /v1/consent",
        "POST /v1/decide",
        "POST /v1/group",
        "POST /v1/identify",
        "POST /v1/page",
        "POST /v1/screen",
        "POST /v1/track",
        "PUT /api/blocks/{key}",
        "PUT /api/segments/{key}",
      ].sort(),
    );
  });

  it("names nothing that it does not define", async () => {
    const document = await readDocument();
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref!);
    expect(refs.length).toBeGreaterThan(30);
    for (const ref of new Set(refs)) {
      const target = ref
        .slice(2)
        .split("/")
        .reduce<Json>((at, part) => at?.[decodeURIComponent(part).replace(/~1/g, "/")], document);
      expect(target, ref).toBeDefined();
    }
  });

  it("has the condition language in it", async () => {
    const { components } = await readDocument();
    expect(JSON.stringify(components.schemas.Condition)).toMatch(/all|anyOf/);
  });

  it("explains the language by conditions that are valid and of each kind", async () => {
    const { info } = await readDocument();
    const rows = [...info.description.matchAll(/^\| `(\{.*?\})` \| /gm)].map(([, text]) => JSON.parse(text));
    expect(rows.map((row) => checkCondition(row).errors)).toEqual(rows.map(() => undefined));
    const keys = new Set(rows.flatMap(Object.keys));
    for (const kind of [...Object.keys(LEAVES), "all"]) expect(keys).toContain(kind);
  });
});

describe("the typed client", () => {
  it("speaks to the API with the types of its routes", async () => {
    const site = await newSite();
    const client = hc<Api>("https://edge.example", {
      headers: { authorization: `Bearer ${site.secretKey}` },
      fetch: ((input: RequestInfo, init?: RequestInit) =>
        exports.default.fetch(new Request(input, init))) as typeof fetch,
    });
    const created = await client.api.segments.$post({
      json: { key: "a", name: "A", condition: { event: "A" }, status: "active" },
    });
    expect(created.status).toBe(201);
    const read = await client.api.segments[":key"].$get({ param: { key: "a" } });
    if (read.status !== 200) throw new Error(String(read.status));
    const segment = await read.json();
    const members: number = segment.members;
    expect([segment.key, members]).toEqual(["a", 0]);
    const preview = await client.api.links.preview.$post({ json: { remove: "never" } });
    expect(preview.status).toBe(404);
    const listed = await client.api.conflicts.$get({ query: {} });
    if (listed.status !== 200) throw new Error(String(listed.status));
    const possible: boolean[] = (await listed.json()).data.map((conflict) => conflict.possible);
    expect(possible).toEqual([]);
  });
});
