/** SQL of `rules`: all that decided who was who, and in which segment, from one publish to the next that changed it. */
import type { ConsentMode } from "../../shared/consent.ts";
import type { IdentitySettings } from "../../shared/identifier.ts";
import type { ManifestSegment, RulesVersion } from "../../shared/manifest.ts";

export type RuleSegment = Omit<ManifestSegment, "name" | "visibility">;

export interface RuleSet {
  timeZone: string;
  consentDefault: ConsentMode;
  /** Left out: the defaults. */
  identity?: IdentitySettings;
  segments: RuleSegment[];
}

/** A site's newest rule sets; those before were dropped. */
const KEPT = 200;
/** D1 takes 2,000,000 bytes a row. A character of JSON is at most three, of rules nearly always one. */
const BODY_BYTES = 1_900_000;

/**
 * The statements that keep the rules of the publish to come, if the site is at the version before it and they were others.
 * Rules that are larger than a row are not kept: whoever asks for the past finds those of before in their place.
 */
export function insertRules(
  db: D1Database,
  siteId: string,
  version: number,
  rulesHash: string,
  rules: RuleSet,
  now: number,
): D1PreparedStatement[] {
  const body = JSON.stringify(rules);
  if (new TextEncoder().encode(body).byteLength > BODY_BYTES) return [];
  return [
    db
      .prepare(
        `INSERT INTO rules (site_id, version, published_at, body)
         SELECT id, ?2, max(rules_at, ?4), ?5 FROM sites WHERE id = ?1 AND version = ?2 - 1 AND rules_hash <> ?3`,
      )
      .bind(siteId, version, rulesHash, now, body),
    db
      .prepare(
        `DELETE FROM rules WHERE site_id = ?1 AND version <= (
           SELECT version FROM rules WHERE site_id = ?1 ORDER BY version DESC LIMIT 1 OFFSET ?2)`,
      )
      .bind(siteId, KEPT),
  ];
}

/**
 * The rules that held at an instant, and all since then, ascending. Of a time before the first that is known, the first comes:
 * earlier ones were dropped, or published before rules were kept. Empty where none are known.
 */
export async function listRules(db: D1Database, siteId: string, from: number): Promise<(RulesVersion & RuleSet)[]> {
  const { results } = await db
    .prepare(
      `SELECT version, published_at AS at, body FROM rules
       WHERE site_id = ?1 AND version >= coalesce((
         SELECT max(version) FROM rules WHERE site_id = ?1 AND published_at <= ?2), 0)
       ORDER BY version`,
    )
    .bind(siteId, from)
    .all<RulesVersion & { body: string }>();
  return results.map(({ version, at, body }) => ({ version, at, ...(JSON.parse(body) as RuleSet) }));
}
