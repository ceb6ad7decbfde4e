/** SQL of `segments`: definitions, not members. */
import type { Condition } from "../../shared/condition.ts";
import type { SegmentKind, Visibility } from "../../shared/manifest.ts";

export type Status = "draft" | "active" | "archived";

export interface Segment {
  key: string;
  name: string;
  kind: SegmentKind;
  /** Null for a static segment. */
  condition: Condition | null;
  visibility: Visibility;
  status: Status;
  version: number;
  createdAt: number;
  updatedAt: number;
}

export interface SegmentRow {
  key: string;
  name: string;
  kind: SegmentKind;
  condition: string | null;
  visibility: Visibility;
  status: Status;
  version: number;
  created_at: number;
  updated_at: number;
}

export function toSegment(row: SegmentRow): Segment {
  return {
    key: row.key,
    name: row.name,
    kind: row.kind,
    condition: row.condition === null ? null : JSON.parse(row.condition),
    visibility: row.visibility,
    status: row.status,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Inserts a segment, or takes over the key of an archived one (its version goes on); null when the key is in use. */
export async function insertSegment(
  db: D1Database,
  siteId: string,
  segment: Omit<Segment, "version">,
): Promise<Segment | null> {
  const row = await db
    .prepare(
      `INSERT INTO segments (site_id, key, name, kind, condition, visibility, status, version, created_at, updated_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9)
       ON CONFLICT (site_id, key) DO UPDATE SET name = excluded.name, kind = excluded.kind,
         condition = excluded.condition, visibility = excluded.visibility, status = excluded.status,
         version = segments.version + 1, created_at = excluded.created_at, updated_at = excluded.updated_at
       WHERE segments.status = 'archived'
       RETURNING key, name, kind, condition, visibility, status, version, created_at, updated_at`,
    )
    .bind(
      siteId,
      segment.key,
      segment.name,
      segment.kind,
      segment.condition && JSON.stringify(segment.condition),
      segment.visibility,
      segment.status,
      segment.createdAt,
      segment.updatedAt,
    )
    .first<SegmentRow>();
  return row && toSegment(row);
}

export async function readSegment(db: D1Database, siteId: string, key: string): Promise<Segment | null> {
  const row = await db
    .prepare(
      `SELECT key, name, kind, condition, visibility, status, version, created_at, updated_at FROM segments
       WHERE site_id = ?1 AND key = ?2`,
    )
    .bind(siteId, key)
    .first<SegmentRow>();
  return row && toSegment(row);
}

/** Segments in the order of their keys, after the one given; archived ones only when asked for. */
export async function listSegments(
  db: D1Database,
  siteId: string,
  page: { after: string; limit: number; archived: boolean },
): Promise<Segment[]> {
  const { results } = await db
    .prepare(
      `SELECT key, name, kind, condition, visibility, status, version, created_at, updated_at FROM segments
       WHERE site_id = ?1 AND key > ?2 AND (?4 = 1 OR status <> 'archived') ORDER BY key LIMIT ?3`,
    )
    .bind(siteId, page.after, page.limit, page.archived ? 1 : 0)
    .all<SegmentRow>();
  return results.map(toSegment);
}

/** All segments that are not archived: what references are checked against. */
export function selectSegments(db: D1Database, siteId: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT key, name, kind, condition, visibility, status, version, created_at, updated_at FROM segments
       WHERE site_id = ?1 AND status <> 'archived' ORDER BY key`,
    )
    .bind(siteId);
}

/** Writes a segment if it is still at `version`, which grows by one; null when it has moved on. */
export async function updateSegment(
  db: D1Database,
  siteId: string,
  segment: Pick<Segment, "key" | "name" | "condition" | "visibility" | "status">,
  version: number,
  now: number,
): Promise<Segment | null> {
  const row = await db
    .prepare(
      `UPDATE segments SET name = ?3, condition = ?4, visibility = ?5, status = ?6, version = version + 1, updated_at = ?8
       WHERE site_id = ?1 AND key = ?2 AND version = ?7
       RETURNING key, name, kind, condition, visibility, status, version, created_at, updated_at`,
    )
    .bind(
      siteId,
      segment.key,
      segment.name,
      segment.condition && JSON.stringify(segment.condition),
      segment.visibility,
      segment.status,
      version,
      now,
    )
    .first<SegmentRow>();
  return row && toSegment(row);
}
