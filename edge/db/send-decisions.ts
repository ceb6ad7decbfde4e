/** SQL of `send_decisions`: what each recipient of a send was given, one row a slot. */
import type { Reason } from "../../shared/decision.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

/** Of whom, in which send, where. */
export interface SendKey {
  recipient: string;
  send: string;
  slot: string;
}

export interface SendDecision {
  id: string;
  block: string;
  blockVersion: number;
  /** Null: the block's fallback. */
  variant: string | null;
  reason: Reason;
  /** Epoch milliseconds; null = never. */
  until: number | null;
  /** Where a click leads, https; null: nowhere of its own. */
  link: string | null;
  decidedAt: number;
  expiresAt: number;
}

function selectSendDecision(
  db: D1Database,
  siteId: string,
  { recipient, send, slot }: SendKey,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `SELECT id, block, block_version AS blockVersion, variant, reason, until, link, decided_at AS decidedAt,
         expires_at AS expiresAt
       FROM send_decisions
       WHERE site_id = ?1 AND recipient = ?2 AND send = ?3 AND slot = ?4 AND expires_at > ?5`,
    )
    .bind(siteId, recipient, send, slot, now);
}

/** Null: not decided yet, or expired. */
export function readSendDecision(
  db: D1Database,
  siteId: string,
  key: SendKey,
  now: number,
): Promise<SendDecision | null> {
  return selectSendDecision(db, siteId, key, now).first<SendDecision>();
}

/**
 * Keeps a decision where there is none, or the one that is replaced, or one that is expired. Nothing is kept of somebody who is not
 * known, or not any more, and nothing that a consent was needed for of somebody who has taken it back meanwhile.
 *
 * @param replaces id of the decision that this one takes the place of
 * @param needsConsent it was made for somebody who allows personalization; `isAssumed`: whoever never said anything does
 * @returns what is kept now: somebody else may have come before; null where nothing is
 */
export async function keepSendDecision(
  db: D1Database,
  siteId: string,
  key: SendKey,
  decision: SendDecision,
  replaces: string | null,
  needsConsent: { isAssumed: boolean } | null,
): Promise<SendDecision | null> {
  const { id, block, blockVersion, variant, reason, until, link, decidedAt, expiresAt } = decision;
  const [, kept] = await db.batch([
    db
      .prepare(
        `INSERT INTO send_decisions (site_id, recipient, send, slot, id, block, block_version, variant, reason, until, link,
           decided_at, expires_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
         WHERE EXISTS (SELECT 1 FROM identifiers AS i WHERE i.site_id = ?1 AND i.birth_id = ?2)
           AND (?15 IS NULL OR coalesce((
             SELECT said.value ->> 0 FROM identifiers AS i
             CROSS JOIN identifiers AS m INDEXED BY identifiers_site_id_profile_id
               ON m.site_id = ?1 AND m.profile_id = i.profile_id
             CROSS JOIN json_each(m.consent) AS said ON said.key = 'personalization'
             WHERE i.site_id = ?1 AND i.birth_id = ?2
             ORDER BY said.value ->> 1 DESC, said.value ->> 0 LIMIT 1), ?15))
         ON CONFLICT (site_id, recipient, send, slot) DO UPDATE SET
           id = excluded.id, block = excluded.block, block_version = excluded.block_version, variant = excluded.variant,
           reason = excluded.reason, until = excluded.until, link = excluded.link, decided_at = excluded.decided_at,
           expires_at = excluded.expires_at
         WHERE send_decisions.id = ?14 OR send_decisions.expires_at <= ?12`,
      )
      .bind(
        ...[siteId, key.recipient, key.send, key.slot, id, block, blockVersion, variant, reason, until, link],
        ...[decidedAt, expiresAt, replaces, needsConsent && Number(needsConsent.isAssumed)],
      ),
    selectSendDecision(db, siteId, key, decidedAt),
  ]);
  return (kept!.results[0] as SendDecision | undefined) ?? null;
}

/** What recipients were given, the newest first, of what comes behind a place; that which is expired, too, while it is stored. */
export async function listSendDecisions(
  db: D1Database,
  siteId: string,
  recipients: readonly string[],
  { decidedAt, id }: Pick<SendDecision, "decidedAt" | "id">,
  limit: number,
): Promise<(SendDecision & SendKey)[]> {
  const { results } = await db
    .prepare(
      `SELECT d.recipient, d.send, d.slot, d.id, d.block, d.block_version AS blockVersion, d.variant, d.reason, d.until, d.link,
         d.decided_at AS decidedAt, d.expires_at AS expiresAt
       FROM json_each(?2) AS asked
       CROSS JOIN send_decisions AS d ON d.site_id = ?1 AND d.recipient = asked.value
       WHERE (d.decided_at, d.id) < (?3, ?4)
       ORDER BY d.decided_at DESC, d.id DESC LIMIT ?5`,
    )
    .bind(siteId, JSON.stringify(recipients), decidedAt, id, limit)
    .all<SendDecision & SendKey>();
  return results;
}

/** Of everybody whom the identifiers lead to: what was decided for them with a consent that they do not give any more. */
export function forgetSendDecisions(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
): D1PreparedStatement[] {
  return toLists([...new Set(identifiers)]).map((list) =>
    db
      .prepare(
        `DELETE FROM send_decisions WHERE site_id = ?1 AND recipient IN (
           SELECT i.birth_id FROM json_each(?2) AS said
           CROSS JOIN identifiers AS s ON s.site_id = ?1 AND s.identifier = said.value
           CROSS JOIN identifiers AS i ON i.site_id = ?1 AND i.profile_id = s.profile_id)`,
      )
      .bind(siteId, list),
  );
}

/** What is expired of the next `rows` rows, of all sites; the next call goes on behind them. @returns how many were deleted */
export async function deleteExpiredSendDecisions(db: D1Database, now: number, rows: number): Promise<number> {
  const { results } = await db
    .prepare(
      `SELECT d.site_id AS siteId, d.recipient, d.send, d.slot, d.expires_at AS expiresAt FROM send_decisions AS d
       WHERE (d.site_id, d.recipient, d.send, d.slot) > (
         SELECT coalesce(max(w.site_id), ''), coalesce(max(w.recipient), ''), coalesce(max(w.send), ''), coalesce(max(w.slot), '')
         FROM send_decision_walk AS w)
       ORDER BY d.site_id, d.recipient, d.send, d.slot LIMIT ?1`,
    )
    .bind(rows)
    .all<SendKey & { siteId: string; expiresAt: number }>();
  const expired = results.filter(({ expiresAt }) => expiresAt <= now);
  const last = results.length < rows ? undefined : results.at(-1);
  await db.batch([
    db
      .prepare(
        `DELETE FROM send_decisions WHERE expires_at <= ?2 AND (site_id, recipient, send, slot) IN (
           SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1))`,
      )
      .bind(JSON.stringify(expired.map((row) => [row.siteId, row.recipient, row.send, row.slot])), now),
    last
      ? db
          .prepare(
            `INSERT INTO send_decision_walk (id, site_id, recipient, send, slot) VALUES (1, ?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET
               site_id = excluded.site_id, recipient = excluded.recipient, send = excluded.send, slot = excluded.slot`,
          )
          .bind(last.siteId, last.recipient, last.send, last.slot)
      : db.prepare("DELETE FROM send_decision_walk"),
  ]);
  return expired.length;
}
