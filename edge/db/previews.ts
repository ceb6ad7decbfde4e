/** SQL of `previews`: what shared links show. */
import type { SharedAsked } from "../preview/preview.ts";

/** Times are epoch milliseconds. */
export interface SharedPreview {
  /** Sorts by the time it was made. */
  id: string;
  request: SharedAsked;
  createdAt: number;
  expiresAt: number;
}

interface PreviewRow {
  id: string;
  request: string;
  created_at: number;
  expires_at: number;
}

function toPreview({ id, request, created_at: createdAt, expires_at: expiresAt }: PreviewRow): SharedPreview {
  return { id, request: JSON.parse(request), createdAt, expiresAt };
}

export async function insertPreview(db: D1Database, siteId: string, preview: SharedPreview): Promise<void> {
  const { id, request, createdAt, expiresAt } = preview;
  await db
    .prepare("INSERT INTO previews (site_id, id, request, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)")
    .bind(siteId, id, JSON.stringify(request), createdAt, expiresAt)
    .run();
}

/** Null for one that was taken back, or has expired by `now`. */
export async function readPreview(
  db: D1Database,
  siteId: string,
  id: string,
  now: number,
): Promise<SharedPreview | null> {
  const row = await db
    .prepare(
      "SELECT id, request, created_at, expires_at FROM previews WHERE site_id = ?1 AND id = ?2 AND expires_at > ?3",
    )
    .bind(siteId, id, now)
    .first<PreviewRow>();
  return row && toPreview(row);
}

/** Those that have not expired by `now`, in the order in which they were made, after the one given. */
export async function listPreviews(
  db: D1Database,
  siteId: string,
  page: { after: string; limit: number; now: number },
): Promise<SharedPreview[]> {
  const { results } = await db
    .prepare(
      `SELECT id, request, created_at, expires_at FROM previews
       WHERE site_id = ?1 AND id > ?2 AND expires_at > ?4 ORDER BY id LIMIT ?3`,
    )
    .bind(siteId, page.after, page.limit, page.now)
    .all<PreviewRow>();
  return results.map(toPreview);
}

/** Takes a link back; null where there is none. */
export async function deletePreview(db: D1Database, siteId: string, id: string): Promise<SharedPreview | null> {
  const row = await db
    .prepare("DELETE FROM previews WHERE site_id = ?1 AND id = ?2 RETURNING id, request, created_at, expires_at")
    .bind(siteId, id)
    .first<PreviewRow>();
  return row && toPreview(row);
}

/** For the cron trigger. */
export async function deleteExpiredPreviews(db: D1Database, now: number): Promise<void> {
  await db.prepare("DELETE FROM previews WHERE expires_at <= ?1").bind(now).run();
}
