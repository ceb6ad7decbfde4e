/** SQL of `consents`: every statement of consent with its proof. The current state is on the identifier. */
import type { Purpose } from "../../shared/consent.ts";
import type { Identifier } from "../../shared/identifier.ts";
import { toLists } from "./lists.ts";

export interface ConsentStatement {
  identifier: Identifier;
  purpose: Purpose;
  granted: boolean;
  at: number;
  /** By the sender's own clock, if that is earlier; left out: at `at`. Not stored. */
  saidAt?: number;
  /** Where it was said: the message's library, or what `/v1/consent` was told. */
  source: string;
  policyVersion: string | null;
}

export function insertConsents(
  db: D1Database,
  siteId: string,
  statements: readonly ConsentStatement[],
  receivedAt: number,
): D1PreparedStatement[] {
  const rows = statements.map((s) => [s.identifier, s.purpose, s.at, s.granted ? 1 : 0, s.source, s.policyVersion]);
  return toLists(rows).map((list) =>
    db
      .prepare(
        `INSERT INTO consents (site_id, identifier, purpose, at, granted, source, policy_version, received_at)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?3
         FROM json_each(?2) WHERE true
         ON CONFLICT DO UPDATE SET
           granted = min(granted, excluded.granted),
           received_at = iif(excluded.granted < granted, excluded.received_at, received_at)`,
      )
      .bind(siteId, list, receivedAt),
  );
}

/** All statements of some identifiers, in the order in which they came. */
export async function listConsents(
  db: D1Database,
  siteId: string,
  identifiers: readonly Identifier[],
): Promise<(ConsentStatement & { receivedAt: number })[]> {
  const { results } = await db
    .prepare(
      `SELECT c.identifier, c.purpose, c.granted, c.at, c.source, c.policy_version AS policyVersion,
         iif(c.received_at = 0, c.at, c.received_at) AS receivedAt
       FROM json_each(?2) AS asked
       CROSS JOIN consents AS c ON c.site_id = ?1 AND c.identifier = asked.value
       ORDER BY receivedAt, c.at`,
    )
    .bind(siteId, JSON.stringify(identifiers))
    .all<Omit<ConsentStatement, "granted"> & { granted: number; receivedAt: number }>();
  return results.map((row) => ({ ...row, granted: row.granted === 1 }));
}
