/** SQL of `send_decisions`: what each recipient of a send was given, one row a slot. */
import type { Reason } from "../../shared/decision.ts";
import type { ConsentStatement } from "./consents.ts";
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
 * known, or not any more.
 *
 * @param replaces id of the decision that this one takes the place of
 * @returns what is kept now: somebody else may have come before; null of somebody unknown
 */
export async function keepSendDecision(
  db: D1Database,
  siteId: string,
  key: SendKey,
  decision: SendDecision,
  replaces: string | null,
): Promise<SendDecision | null> {
  const { id, block, blockVersion, variant, reason, until, link, decidedAt, expiresAt } = decision;
  const [, kept] = await db.batch([
    db
      .prepare(
        `INSERT INTO send_decisions (site_id, recipient, send, slot, id, block, block_version, variant, reason, until, link,
           decided_at, expires_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
         WHERE EXISTS (SELECT 1 FROM identifiers AS i WHERE i.site_id = ?1 AND i.birth_id = ?2)
         ON CONFLICT (site_id, recipient, send, slot) DO UPDATE SET
           id = excluded.id, block = excluded.block, block_version = excluded.block_version, variant = excluded.variant,
           reason = excluded.reason, until = excluded.until, link = excluded.link, decided_at = excluded.decided_at,
           expires_at = excluded.expires_at
         WHERE send_decisions.id = ?14 OR send_decisions.expires_at <= ?12`,
      )
      .bind(
        ...[siteId, key.recipient, key.send, key.slot, id, block, blockVersion, variant, reason, until, link],
        ...[decidedAt, expiresAt, replaces],
      ),
    selectSendDecision(db, siteId, key, decidedAt),
  ]);
  return (kept!.results[0] as SendDecision | undefined) ?? null;
}

/** Of everybody whom the statements concern: what was decided for them with a consent that they take back. */
export function forgetWithdrawn(
  db: D1Database,
  siteId: string,
  statements: readonly ConsentStatement[],
): D1PreparedStatement[] {
  const withdrawn = statements.filter(({ purpose, granted }) => purpose === "personalization" && !granted);
  return toLists([...new Set(withdrawn.map(({ identifier }) => identifier))]).map((list) =>
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
