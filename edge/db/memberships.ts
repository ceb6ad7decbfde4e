/** SQL of `memberships` and `membership_log`: who is in which segment, and every enter and exit. */

import { toLists } from "./lists.ts";

export type Cause = "event" | "time" | "rule" | "identity";

export interface MembershipChange {
  profileId: string;
  segmentKey: string;
  change: "enter" | "exit";
  cause: Cause;
  at: number;
  segmentVersion: number;
}

/** The statements that make changes true and log them; none where nothing changed. */
export function applyMembershipChanges(
  db: D1Database,
  siteId: string,
  changes: readonly MembershipChange[],
): D1PreparedStatement[] {
  const rows = changes.map((c) => [c.profileId, c.segmentKey, c.change, c.cause, c.at, c.segmentVersion]);
  return toLists(rows).flatMap((list) => [
    db
      .prepare(
        `DELETE FROM memberships WHERE (site_id, segment_key, profile_id) IN (
           SELECT ?1, value ->> 1, value ->> 0 FROM json_each(?2) WHERE value ->> 2 = 'exit')`,
      )
      .bind(siteId, list),
    db
      .prepare(
        `INSERT INTO memberships (site_id, segment_key, profile_id, since)
         SELECT ?1, value ->> 1, value ->> 0, value ->> 4 FROM json_each(?2) WHERE value ->> 2 = 'enter'
         ON CONFLICT DO NOTHING`,
      )
      .bind(siteId, list),
    db
      .prepare(
        `INSERT INTO membership_log (site_id, profile_id, segment_key, change, cause, at, segment_version)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?2)`,
      )
      .bind(siteId, list),
  ]);
}
