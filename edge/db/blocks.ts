/** SQL of `blocks` (drafts) and `block_versions` (what was published, kept for going back). */
import type { ManifestBlock, Schedule } from "../../shared/manifest.ts";
import { type BlockChange, insertBlockAudit } from "./audit.ts";
import type { Status } from "./segments.ts";

/** What of a block is kept as JSON. */
export interface BlockBody extends Omit<ManifestBlock, "key" | "slot" | "version"> {
  name?: string;
  /** What the templates were compiled from; left out: they are what was written. */
  mjml?: MjmlSource;
}

export interface MjmlSource {
  /** In the order of the variants. */
  templates: string[];
  fallback: string | null;
}

export interface Block extends BlockBody {
  key: string;
  slot: string;
  status: Status;
  /** Of the draft; grows by one at each save. */
  version: number;
  /** The published version that is live, if any. */
  liveVersion: number | null;
  createdAt: number;
  updatedAt: number;
}

/** Who changes what is live, as the audit names them, and when. */
export type Author = Pick<BlockChange, "actor" | "at">;

export interface BlockVersion extends BlockBody {
  key: string;
  slot: string;
  version: number;
  publishedAt: number;
}

interface BlockRow {
  key: string;
  slot: string;
  draft: string;
  status: Status;
  version: number;
  live_version: number | null;
  created_at: number;
  updated_at: number;
}

export interface BlockVersionRow {
  key: string;
  slot: string;
  version: number;
  body: string;
  published_at: number;
}

function toBlock(row: BlockRow): Block {
  return {
    ...(JSON.parse(row.draft) as BlockBody),
    key: row.key,
    slot: row.slot,
    status: row.status,
    version: row.version,
    liveVersion: row.live_version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function toBlockVersion(row: BlockVersionRow): BlockVersion {
  const { key, slot, version, body, published_at: publishedAt } = row;
  return { ...(JSON.parse(body) as BlockBody), key, slot, version, publishedAt };
}

/** As it is decided: without what only its authors look at. */
export function toManifestBlock(block: BlockVersion): ManifestBlock {
  const { name: _name, mjml: _mjml, publishedAt: _publishedAt, ...live } = block;
  return live;
}

/** Inserts a draft, or takes over the key of an archived one (its version goes on); null when the key is in use. */
export async function insertBlock(
  db: D1Database,
  siteId: string,
  block: BlockBody & { key: string; slot: string },
  now: number,
): Promise<Block | null> {
  const row = await db
    .prepare(
      `INSERT INTO blocks (site_id, key, slot, draft, status, version, live_version, created_at, updated_at)
       VALUES (?1, ?2, ?3, ?4, 'draft', 1, NULL, ?5, ?5)
       ON CONFLICT (site_id, key) DO UPDATE SET slot = excluded.slot, draft = excluded.draft, status = 'draft',
         version = blocks.version + 1, live_version = NULL, created_at = excluded.created_at, updated_at = excluded.updated_at
       WHERE blocks.status = 'archived'
       RETURNING key, slot, draft, status, version, live_version, created_at, updated_at`,
    )
    .bind(siteId, block.key, block.slot, toDraft(block), now)
    .first<BlockRow>();
  return row && toBlock(row);
}

export async function readBlock(db: D1Database, siteId: string, key: string): Promise<Block | null> {
  const row = await db
    .prepare(
      `SELECT key, slot, draft, status, version, live_version, created_at, updated_at FROM blocks
       WHERE site_id = ?1 AND key = ?2`,
    )
    .bind(siteId, key)
    .first<BlockRow>();
  return row && toBlock(row);
}

/** Blocks in the order of their keys, after the one given; archived ones only when asked for. */
export async function listBlocks(
  db: D1Database,
  siteId: string,
  page: { after: string; limit: number; archived: boolean },
): Promise<Block[]> {
  const { results } = await db
    .prepare(
      `SELECT key, slot, draft, status, version, live_version, created_at, updated_at FROM blocks
       WHERE site_id = ?1 AND key > ?2 AND (?4 = 1 OR status <> 'archived') ORDER BY key LIMIT ?3`,
    )
    .bind(siteId, page.after, page.limit, page.archived ? 1 : 0)
    .all<BlockRow>();
  return results.map(toBlock);
}

/** Writes a draft if it is still at `version`, which grows by one; null when it has moved on. */
export async function updateBlock(
  db: D1Database,
  siteId: string,
  block: BlockBody & { key: string; slot: string },
  version: number,
  now: number,
): Promise<Block | null> {
  const row = await db
    .prepare(
      `UPDATE blocks SET slot = ?3, draft = ?4, version = version + 1, updated_at = ?6
       WHERE site_id = ?1 AND key = ?2 AND version = ?5 AND status <> 'archived'
       RETURNING key, slot, draft, status, version, live_version, created_at, updated_at`,
    )
    .bind(siteId, block.key, block.slot, toDraft(block), version, now)
    .first<BlockRow>();
  return row && toBlock(row);
}

/** Makes the draft at `version` live, keeping it in `block_versions`; null when the draft has moved on. The audit says who did. */
export async function publishBlock(
  db: D1Database,
  siteId: string,
  key: string,
  version: number,
  by: Author,
): Promise<Block | null> {
  const [, , updated] = await db.batch<BlockRow>([
    db
      .prepare(
        `INSERT INTO block_versions (site_id, key, version, slot, body, published_at)
         SELECT site_id, key, version, slot, draft, ?4 FROM blocks WHERE site_id = ?1 AND key = ?2 AND version = ?3
         ON CONFLICT (site_id, key, version) DO NOTHING`,
      )
      .bind(siteId, key, version, by.at),
    insertBlockAudit(db, siteId, { ...by, action: "publish", key, to: version }),
    db
      .prepare(
        `UPDATE blocks SET status = 'active', live_version = version, updated_at = ?4
         WHERE site_id = ?1 AND key = ?2 AND version = ?3 AND status <> 'archived'
         RETURNING key, slot, draft, status, version, live_version, created_at, updated_at`,
      )
      .bind(siteId, key, version, by.at),
  ]);
  const row = updated?.results[0];
  return row ? toBlock(row) : null;
}

/** Makes an earlier published version live again; null when there is no such version. The audit says who did. */
export async function rollbackBlock(
  db: D1Database,
  siteId: string,
  key: string,
  version: number,
  by: Author,
): Promise<Block | null> {
  const [, updated] = await db.batch<BlockRow>([
    insertBlockAudit(db, siteId, { ...by, action: "rollback", key, to: version }),
    db
      .prepare(
        `UPDATE blocks SET status = 'active', live_version = ?3, updated_at = ?4
         WHERE site_id = ?1 AND key = ?2 AND status <> 'archived'
           AND EXISTS (SELECT 1 FROM block_versions v WHERE v.site_id = ?1 AND v.key = ?2 AND v.version = ?3)
         RETURNING key, slot, draft, status, version, live_version, created_at, updated_at`,
      )
      .bind(siteId, key, version, by.at),
  ]);
  const row = updated?.results[0];
  return row ? toBlock(row) : null;
}

/** Takes a block out of the site; its versions stay readable. Null when it is not there or already archived. The audit says who did. */
export async function archiveBlock(db: D1Database, siteId: string, key: string, by: Author): Promise<Block | null> {
  const [, updated] = await db.batch<BlockRow>([
    insertBlockAudit(db, siteId, { ...by, action: "archive", key, to: null }),
    db
      .prepare(
        `UPDATE blocks SET status = 'archived', live_version = NULL, version = version + 1, updated_at = ?3
         WHERE site_id = ?1 AND key = ?2 AND status <> 'archived'
         RETURNING key, slot, draft, status, version, live_version, created_at, updated_at`,
      )
      .bind(siteId, key, by.at),
  ]);
  const row = updated?.results[0];
  return row ? toBlock(row) : null;
}

/** What is live, all blocks of a site. */
export function selectLiveBlocks(db: D1Database, siteId: string): D1PreparedStatement {
  return db
    .prepare(
      `SELECT v.key, v.slot, v.version, v.body, v.published_at FROM blocks b
       JOIN block_versions v ON v.site_id = b.site_id AND v.key = b.key AND v.version = b.live_version
       WHERE b.site_id = ?1 AND b.status = 'active' ORDER BY v.key`,
    )
    .bind(siteId);
}

export async function readBlockVersion(
  db: D1Database,
  siteId: string,
  key: string,
  version: number,
): Promise<BlockVersion | null> {
  const row = await db
    .prepare(
      `SELECT key, slot, version, body, published_at FROM block_versions WHERE site_id = ?1 AND key = ?2 AND version = ?3`,
    )
    .bind(siteId, key, version)
    .first<BlockVersionRow>();
  return row && toBlockVersion(row);
}

/** Published versions, newest first, before the one given. */
export async function listBlockVersions(
  db: D1Database,
  siteId: string,
  key: string,
  before: number,
  limit: number,
): Promise<BlockVersion[]> {
  const { results } = await db
    .prepare(
      `SELECT key, slot, version, body, published_at FROM block_versions
       WHERE site_id = ?1 AND key = ?2 AND version < ?3 ORDER BY version DESC LIMIT ?4`,
    )
    .bind(siteId, key, before, limit)
    .all<BlockVersionRow>();
  return results.map(toBlockVersion);
}

/** When versions of a block were published, newest first. */
export async function listPublications(
  db: D1Database,
  siteId: string,
  key: string,
  limit: number,
): Promise<Pick<BlockVersion, "version" | "publishedAt">[]> {
  const { results } = await db
    .prepare(
      `SELECT version, published_at AS publishedAt FROM block_versions
       WHERE site_id = ?1 AND key = ?2 ORDER BY version DESC LIMIT ?3`,
    )
    .bind(siteId, key, limit)
    .all<Pick<BlockVersion, "version" | "publishedAt">>();
  return results;
}

/** What people call these blocks, by key; those without a name are left out. */
export async function readBlockNames(
  db: D1Database,
  siteId: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const { results } = await db
    .prepare(
      `SELECT b.key, b.draft ->> '$.name' AS name FROM json_each(?2) AS asked
       CROSS JOIN blocks AS b ON b.site_id = ?1 AND b.key = asked.value WHERE name IS NOT NULL`,
    )
    .bind(siteId, JSON.stringify(keys))
    .all<{ key: string; name: string }>();
  return new Map(results.map(({ key, name }) => [key, name]));
}

export interface LiveSchedule {
  key: string;
  slot: string;
  name: string | null;
  version: number;
  priority: number;
  schedule: Schedule;
}

interface LiveScheduleRow extends Omit<LiveSchedule, "schedule"> {
  schedule: string | null;
}

/** When what is live of these blocks is on, by key. */
export async function readLiveSchedules(
  db: D1Database,
  siteId: string,
  keys: readonly string[],
): Promise<Map<string, LiveSchedule>> {
  const { results } = await db
    .prepare(
      `SELECT v.key, v.slot, v.version, v.body ->> '$.name' AS name, coalesce(v.body ->> '$.priority', 0) AS priority,
         v.body -> '$.schedule' AS schedule
       FROM json_each(?2) AS asked
       CROSS JOIN blocks AS b ON b.site_id = ?1 AND b.key = asked.value AND b.status = 'active'
       CROSS JOIN block_versions AS v ON v.site_id = ?1 AND v.key = b.key AND v.version = b.live_version`,
    )
    .bind(siteId, JSON.stringify(keys))
    .all<LiveScheduleRow>();
  return new Map(results.map((row) => [row.key, toLiveSchedule(row)]));
}

/** What is live in the first slots after the one given, slot by slot in the order in which their blocks are asked. */
export async function listLiveSchedules(
  db: D1Database,
  siteId: string,
  after: string,
  slots: number,
): Promise<LiveSchedule[]> {
  const { results } = await db
    .prepare(
      `WITH live AS (
         SELECT v.slot, v.key, v.version, v.body FROM blocks AS b
         CROSS JOIN block_versions AS v ON v.site_id = ?1 AND v.key = b.key AND v.version = b.live_version
         WHERE b.site_id = ?1 AND b.status = 'active' AND v.slot > ?2)
       SELECT key, slot, version, body ->> '$.name' AS name, coalesce(body ->> '$.priority', 0) AS priority,
         body -> '$.schedule' AS schedule
       FROM live WHERE slot IN (SELECT DISTINCT slot FROM live ORDER BY slot LIMIT ?3)
       ORDER BY slot, priority DESC, key`,
    )
    .bind(siteId, after, slots)
    .all<LiveScheduleRow>();
  return results.map(toLiveSchedule);
}

function toLiveSchedule({ schedule, ...row }: LiveScheduleRow): LiveSchedule {
  return { ...row, schedule: schedule === null ? {} : JSON.parse(schedule) };
}

function toDraft({ name, variants, fallback, schedule, priority, cap, safeIfStale, mjml }: BlockBody): string {
  return JSON.stringify({ name, variants, fallback, schedule, priority, cap, safeIfStale, mjml });
}
