/** A site of its own for a test, published as the API would publish it, and ways to talk to it over HTTP. */
import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import type { Env } from "../../edge/env.ts";
import { publish } from "../../edge/manifest/publish.ts";
import { hashKey } from "../../edge/manifest/read.ts";
import type { Condition } from "../../shared/condition.ts";
import type { SiteSettings, Variant, Visibility } from "../../shared/manifest.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import("../../edge/worker.ts");
    }
  }
}

export interface TestSegment {
  key: string;
  condition: Condition;
  visibility?: Visibility;
}

export interface TestBlock {
  slot: string;
  variants: Variant[];
  fallback?: string;
}

export interface TestSite {
  id: string;
  writeKey: string;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Sends messages and answers what came of them. */
  batch(
    messages: unknown[],
    envelope?: object,
  ): Promise<{
    accepted: number;
    rejected: { index: number; problem: { type: string; errors?: { pointer: string }[] } }[];
    warnings?: { index: number; messageId: string; pointer: string; code: string; detail: string }[];
  }>;
  rows<T = Record<string, unknown>>(sql: string, ...values: unknown[]): Promise<T[]>;
  publish(change: { segments?: TestSegment[]; blocks?: TestBlock[] }): Promise<void>;
}

export const bindings = env as unknown as Env;

export async function createSite(
  content: { segments?: TestSegment[]; blocks?: TestBlock[]; settings?: Partial<SiteSettings> } = {},
): Promise<TestSite> {
  const id = `s${crypto.randomUUID().slice(0, 8)}`;
  const writeKey = `pk_${id}`;
  const settings: SiteSettings = {
    timeZone: "UTC",
    consentDefault: "full",
    origins: ["https://shop.example"],
    ...content.settings,
  };
  const now = Date.now();
  await env.DB.batch([
    env.DB.prepare("INSERT INTO sites (id, name, settings, created_at) VALUES (?1, ?1, ?2, ?3)").bind(
      id,
      JSON.stringify(settings),
      now,
    ),
    env.DB.prepare(
      "INSERT INTO keys (hash, id, site_id, kind, label, hint, created_at) VALUES (?1, ?2, ?3, 'write', '', ?4, ?5)",
    ).bind(await hashKey(writeKey), `k_${id}`, id, writeKey, now),
  ]);
  const site: TestSite = {
    id,
    writeKey,
    post: (path, body, headers = {}) =>
      exports.default.fetch(`https://edge.example${path}`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${writeKey}:`)}`, ...headers },
        body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    batch: async (messages, envelope = {}) => (await site.post("/v1/batch", { ...envelope, batch: messages })).json(),
    rows: async <T>(sql: string, ...values: unknown[]) =>
      (
        await env.DB.prepare(sql)
          .bind(id, ...values)
          .all<T>()
      ).results,
    publish: async ({ segments = [], blocks = [] }) => {
      await env.DB.batch([
        ...segments.map((s) =>
          env.DB.prepare(
            `INSERT INTO segments (site_id, key, name, kind, condition, visibility, status, version, created_at, updated_at)
             VALUES (?1, ?2, ?2, 'dynamic', ?3, ?4, 'active', 1, ?5, ?5)
             ON CONFLICT DO UPDATE SET condition = excluded.condition, version = segments.version + 1`,
          ).bind(id, s.key, JSON.stringify(s.condition), s.visibility ?? "public", now),
        ),
        ...blocks.flatMap(({ slot, variants, fallback = null }) => [
          env.DB.prepare(
            `INSERT INTO blocks (site_id, key, slot, draft, status, version, live_version, created_at, updated_at)
             VALUES (?1, ?2, ?2, ?3, 'active', 1, 1, ?4, ?4)`,
          ).bind(id, slot, JSON.stringify({ variants, fallback }), now),
          env.DB.prepare(
            "INSERT INTO block_versions (site_id, key, version, slot, body, published_at) VALUES (?1, ?2, 1, ?2, ?3, ?4)",
          ).bind(id, slot, JSON.stringify({ variants, fallback }), now),
        ]),
        env.DB.prepare("SELECT 1"),
      ]);
      await publish(bindings, id, now);
    },
  };
  await site.publish(content);
  return site;
}

let count = 0;

/** A message nobody has sent yet. */
export function track(event: string, properties: object = {}, more: object = {}): Record<string, unknown> {
  return { type: "track", event, properties, anonymousId: "a1", messageId: `m${++count}`, ...more };
}
