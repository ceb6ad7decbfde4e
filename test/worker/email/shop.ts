/** A shop that sends e-mails: people, blocks in versions, tokens, and a press that keeps what it is given to paint. */
import { env } from "cloudflare:test";
import type { BlockBody } from "../../../edge/db/blocks.ts";
import type { Env } from "../../../edge/env.ts";
import { publish } from "../../../edge/manifest/publish.ts";
import { EMAIL_TOKEN_MS, signToken } from "../../../edge/tokens.ts";
import type { PaintedCard } from "../../../shared/card.ts";
import type { SiteSettings } from "../../../shared/manifest.ts";
import { ask } from "../delivery/worker.ts";
import { bindings, createSite, type TestSegment, type TestSite } from "../site.ts";

export const PERSON = {
  "user-agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "accept-language": "en",
};

const { PRESS: _, ...pressless } = bindings;

export interface Shop extends TestSite {
  /** Publishes a version of a block; its slot has its name unless told. */
  block(key: string, body: Partial<BlockBody> & { slot?: string; version?: number }): Promise<void>;
  archive(key: string): Promise<void>;
  /** Birth id of a user, who is stored. */
  know(userId: string, traits?: object): Promise<string>;
  tokenOf(birthId: string, more?: object): Promise<string>;
  get(token: string, file: string, headers?: Record<string, string>, more?: Partial<Env>): Promise<Response>;
  kept(): Promise<{ recipient: string; send: string; slot: string; variant: string | null; link: string | null }[]>;
}

export async function openShop(
  content: { segments?: TestSegment[]; settings?: Partial<SiteSettings> } = {},
): Promise<Shop> {
  const site = await createSite(content);
  const now = Date.now();
  return {
    ...site,
    block: async (key, { slot = key, version = 1, variants = [], fallback = null, ...more }) => {
      const body = JSON.stringify({ variants, fallback, ...more });
      await env.DB.batch([
        env.DB.prepare(
          `INSERT INTO blocks (site_id, key, slot, draft, status, version, live_version, created_at, updated_at)
           VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?5, ?6, ?6)
           ON CONFLICT DO UPDATE SET slot = excluded.slot, live_version = excluded.live_version`,
        ).bind(site.id, key, slot, body, version, now),
        env.DB.prepare(
          `INSERT INTO block_versions (site_id, key, version, slot, body, published_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
           ON CONFLICT DO NOTHING`,
        ).bind(site.id, key, version, slot, body, now),
      ]);
      await publish(bindings, site.id, now);
    },
    archive: async (key) => {
      await env.DB.prepare("UPDATE blocks SET status = 'archived', live_version = NULL WHERE site_id = ?1 AND key = ?2")
        .bind(site.id, key)
        .run();
      await publish(bindings, site.id, now);
    },
    know: async (userId, traits = {}) => {
      await site.batch([{ type: "identify", userId, messageId: crypto.randomUUID(), traits }]);
      const [row] = await site.rows<{ birth_id: string }>(
        "SELECT birth_id FROM identifiers WHERE site_id = ?1 AND identifier = ?2",
        `userId:${userId}`,
      );
      return row!.birth_id;
    },
    tokenOf: (birthId, more = {}) =>
      signToken(bindings, "email", {
        ...{ siteId: site.id, birthId, profileId: birthId, send: "spring", expiresAt: Date.now() + EMAIL_TOKEN_MS },
        ...more,
      }),
    get: (token, file, headers = {}, more = {}) => ask({ ...pressless, ...more }, `/e/${token}/${file}`, { headers }),
    kept: () =>
      site.rows(
        "SELECT recipient, send, slot, variant, link FROM send_decisions WHERE site_id = ?1 ORDER BY recipient, send, slot",
      ),
  };
}

/** What it paints is the card as JSON. @param missing pictures that it cannot have */
export function pressing(
  answer?: { error: string } | Error,
  missing = 0,
): {
  cards: [card: PaintedCard, scale: number][];
  env: Partial<Env>;
} {
  const cards: [PaintedCard, number][] = [];
  const paint = async (card: PaintedCard, scale: number) => {
    cards.push([card, scale]);
    if (answer instanceof Error) throw answer;
    const png = new TextEncoder().encode(JSON.stringify([scale, card])).buffer as ArrayBuffer;
    return answer ?? { png, missing };
  };
  const findFaults = async () => ({ faults: [{ part: 0, what: "cut", fits: 5 }] });
  return { cards, env: { PRESS: { paint, findFaults } as unknown as NonNullable<Env["PRESS"]> } };
}
