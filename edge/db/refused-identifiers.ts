/** SQL of `refused_identifiers`: how many values that were given as identifiers are none. */
import type { RefusedIdentifier } from "../identity/decision.ts";

export interface RefusedCount extends RefusedIdentifier {
  /** Midnight in UTC. */
  day: number;
  count: number;
}

const DAY_MS = 86_400_000;

/** One statement, a row for each kind and reason. */
export function countRefused(
  db: D1Database,
  siteId: string,
  refused: readonly RefusedIdentifier[],
  at: number,
): D1PreparedStatement[] {
  if (!refused.length) return [];
  const counts = Map.groupBy(refused, ({ kind, reason }) => `${kind} ${reason}`).values();
  const rows = counts.map((same) => [same[0]!.kind, same[0]!.reason, same.length]).toArray();
  return [
    db
      .prepare(
        `INSERT INTO refused_identifiers (site_id, day, kind, reason, count)
         SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?3) WHERE true
         ON CONFLICT (site_id, day, kind, reason) DO UPDATE SET count = count + excluded.count`,
      )
      .bind(siteId, at - (at % DAY_MS), JSON.stringify(rows)),
  ];
}

/** Of days from `from` until before `to`, the newest first. */
export async function listRefused(
  db: D1Database,
  siteId: string,
  { from, to }: { from: number; to: number },
): Promise<RefusedCount[]> {
  const { results } = await db
    .prepare(
      `SELECT day, kind, reason, count FROM refused_identifiers
       WHERE site_id = ?1 AND day >= ?2 AND day < ?3 ORDER BY day DESC, kind, reason`,
    )
    .bind(siteId, from, to)
    .all<RefusedCount>();
  return results;
}
