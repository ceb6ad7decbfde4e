/** SQL of `audit`, `audit_seals` and `audit_waiting`: who did what to whom, and the chain over it. */
import type { JsonObject } from "../../shared/event.ts";
import { toLists } from "./lists.ts";

export const AUDIT_ACTIONS = ["link", "refuse", "unlink", "relink", "erase", "list"] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  /** Epoch milliseconds. */
  at: number;
  /** Who did it: `browser`, `server`, `import` of an event's source; `key:<id>` of a developer; `system`. */
  actor: string;
  action: AuditAction;
  /** Birth ids of the identifiers concerned: they never change. */
  subject: string;
  other?: string;
  /** The evidence, with the identifiers themselves. The only part that an erasure takes away. */
  detail: JsonObject;
}

/** Appends entries in their order, with the transaction they tell of. D1 writes one transaction after the other: `seq` has no gaps. */
export function insertAudit(db: D1Database, siteId: string, entries: readonly AuditEntry[]): D1PreparedStatement[] {
  const rows = entries.map((e) => [e.at, e.actor, e.action, e.subject, e.other, JSON.stringify(e.detail)]);
  return toLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO audit (site_id, seq, at, actor, action, subject, other, detail, salt)
         SELECT ?1, 1 + key + coalesce((SELECT max(seq) FROM audit WHERE site_id = ?1), 0),
           value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, lower(hex(randomblob(16)))
         FROM json_each(?2)`,
      )
      .bind(siteId, list),
  );
}
