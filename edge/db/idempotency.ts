/** SQL of `idempotency_keys`: one row per Idempotency-Key and site. */

/** An answer as it is kept: encrypted, each part in base64. */
export type Sealed = readonly [iv: string, text: string];

export interface IdempotencyRow {
  fingerprint: string;
  /** Null while the first request is under way. */
  status: number | null;
  /** Null once an erasure has taken it, too. */
  sealed: Sealed | null;
  createdAt: number;
}

/**
 * Takes the key for this request. Null: it is ours, either new or left over from before `expired` or from a request that
 * began before `abandoned` and never ended. Otherwise the row of the request that has it.
 */
export async function takeIdempotencyKey(
  db: D1Database,
  siteId: string,
  key: string,
  fingerprint: string,
  times: { now: number; expired: number; abandoned: number },
): Promise<IdempotencyRow | null> {
  const [taken, found] = await db.batch([
    db
      .prepare(
        `INSERT INTO idempotency_keys (site_id, key, fingerprint, status, body, created_at)
         VALUES (?1, ?2, ?3, NULL, NULL, ?4)
         ON CONFLICT (site_id, key) DO UPDATE SET
           fingerprint = excluded.fingerprint, status = NULL, body = NULL, created_at = excluded.created_at
         WHERE idempotency_keys.created_at < ?5
           OR (idempotency_keys.status IS NULL AND idempotency_keys.created_at < ?6)
         RETURNING key`,
      )
      .bind(siteId, key, fingerprint, times.now, times.expired, times.abandoned),
    db
      .prepare(
        `SELECT fingerprint, status, body, created_at AS createdAt FROM idempotency_keys
         WHERE site_id = ?1 AND key = ?2`,
      )
      .bind(siteId, key),
  ]);
  const [row] = (found?.results ?? []) as (Omit<IdempotencyRow, "sealed"> & { body: string | null })[];
  if (taken?.results.length || !row) return null;
  const { body, ...rest } = row;
  return { ...rest, sealed: body === null ? null : JSON.parse(body) };
}

/** `isOfPeople`: an erasure on the site takes the answer. */
export async function keepIdempotencyAnswer(
  db: D1Database,
  siteId: string,
  key: string,
  { status, sealed, isOfPeople }: { status: number; sealed: Sealed; isOfPeople: boolean },
): Promise<void> {
  await db
    .prepare("UPDATE idempotency_keys SET status = ?3, body = ?4 WHERE site_id = ?1 AND key = ?2")
    .bind(siteId, key, status, JSON.stringify([...sealed, isOfPeople]))
    .run();
}

/** Gives the key back: the request failed on our side and may be tried again. */
export async function dropIdempotencyKey(db: D1Database, siteId: string, key: string): Promise<void> {
  await db.prepare("DELETE FROM idempotency_keys WHERE site_id = ?1 AND key = ?2").bind(siteId, key).run();
}

/** For the cron trigger: answers are kept 24 hours. */
export async function deleteExpiredIdempotencyKeys(db: D1Database, before: number): Promise<void> {
  await db.prepare("DELETE FROM idempotency_keys WHERE created_at < ?1").bind(before).run();
}
