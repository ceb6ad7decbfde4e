/** Copies all rows of one person to others, table by table, by SQL alone: a million events in seconds. */
import type { Bench } from "../workerd.ts";

/** Tables a person consists of, with the columns that name the person. The log of memberships is not read by ingest. */
const TABLES: { [table: string]: { names: string[]; where: string } } = {
  events: { names: ["owner", "message_id"], where: "owner = ?1" },
  histories: { names: ["owner"], where: "owner = ?1" },
  traits: { names: ["identifier"], where: "identifier = ?1" },
  memberships: { names: ["profile_id"], where: "profile_id = ?2" },
  profiles: { names: ["id", "stable_id"], where: "id = ?2" },
  identifiers: { names: ["identifier", "profile_id", "birth_id"], where: "identifier = ?1" },
};
const ROWS_A_STATEMENT = 50_000;

/** The copies are named `person-0000`, `person-0001`, … from `from` to `to`. */
export async function clonePerson(bench: Bench, person: string, from: number, to: number): Promise<void> {
  const db = await bench.mf.getD1Database("DB", "product");
  const identifier = `anonymousId:${person}`;
  const known = await db
    .prepare("SELECT profile_id FROM identifiers WHERE identifier = ?1")
    .bind(identifier)
    .first<{ profile_id: string }>();
  if (!known) throw new Error(`${identifier} is nobody`);

  for (const [table, { names, where }] of Object.entries(TABLES)) {
    const { results } = await db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all<{ name: string }>();
    const columns = results.map(({ name }) => name);
    const values = columns.map((column) =>
      names.includes(column) ? `template.${column} || '-' || printf('%04d', number.value)` : `template.${column}`,
    );
    const rows = (await db
      .prepare(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)
      .bind(identifier, ...(where.includes("?2") ? [known.profile_id] : []))
      .first<{ n: number }>())!.n;
    if (rows === 0) continue;
    const step = Math.max(1, Math.floor(ROWS_A_STATEMENT / rows));
    for (let start = from; start < to; start += step) {
      await db
        .prepare(
          `INSERT INTO ${table} (${columns.join(", ")})
           SELECT ${values.join(", ")} FROM ${table} AS template CROSS JOIN
             (WITH RECURSIVE n (value) AS (SELECT ?3 UNION ALL SELECT value + 1 FROM n WHERE value < ?4) SELECT value FROM n) AS number
           WHERE ?1 <> '' AND ?2 <> '' AND template.${where}`,
        )
        .bind(identifier, known.profile_id, start, Math.min(start + step, to) - 1)
        .run();
    }
  }
}
