/** SQL of the events that say traits, identify and group: they have an index of their own, so that nothing else is read. */
import type { Identifier } from "../../shared/identifier.ts";
import { type EventPlace, type EventRow, toEventRow } from "./events.ts";

/** Places of the newest messages of all the owners together, newest first, of those before a place. Reads the index alone. */
export async function listTraitMessages(
  db: D1Database,
  siteId: string,
  owners: readonly Identifier[],
  before: EventPlace | null,
  limit: number,
): Promise<EventPlace[]> {
  const { results } = await db
    .prepare(
      `SELECT e.at, e.message_id AS messageId, e.owner FROM json_each(?2) AS asked
       CROSS JOIN events AS e INDEXED BY events_site_id_owner_at_message_id_type
         ON e.site_id = ?1 AND e.owner = asked.value AND e.type IN ('identify', 'group')
           AND (e.at, e.message_id, e.owner) < (?3, ?4, ?5)
       ORDER BY e.at DESC, e.message_id DESC, e.owner DESC LIMIT ?6`,
    )
    .bind(
      siteId,
      JSON.stringify(owners),
      before?.at ?? Number.MAX_SAFE_INTEGER,
      before?.messageId ?? "",
      before?.owner ?? "",
      limit,
    )
    .all<EventPlace>();
  return results;
}

/** Those of the messages at the places that say the trait, in the order of the places. */
export async function listSaying(
  db: D1Database,
  siteId: string,
  places: readonly EventPlace[],
  trait: string,
  limit: number,
): Promise<EventRow[]> {
  const { results } = await db
    .prepare(
      `SELECT e.owner, e.message_id, e.type, e.name, e.at, e.received_at, e.place, e.source, e.body FROM json_each(?2) AS place
       CROSS JOIN events AS e
         ON e.site_id = ?1 AND e.owner = place.value ->> 0 AND e.message_id = place.value ->> 1
       WHERE CASE e.type
         WHEN 'group' THEN ?3 = 'groupId'
         ELSE EXISTS (SELECT 1 FROM json_each(e.body, '$.traits') AS said WHERE said.key = ?3) END
       ORDER BY place.key LIMIT ?4`,
    )
    .bind(siteId, JSON.stringify(places.map(({ owner, messageId }) => [owner, messageId])), trait, limit)
    .all();
  return results.map(toEventRow);
}
