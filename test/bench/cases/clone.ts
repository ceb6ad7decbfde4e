/** Copies all rows of one person to others, table by table, by SQL alone: a million events in seconds. */
import type { Setting } from "./case.ts";

/** Tables a person consists of, with the columns that name the person. The log of memberships is not read by ingest. */
const TABLES: { [table: string]: { names: string[]; of: string } } = {
  events: { names: ["owner", "message_id"], of: "owner" },
  histories: { names: ["owner"], of: "owner" },
  traits: { names: ["identifier"], of: "identifier" },
  memberships: { names: ["profile_id"], of: "profile_id" },
  profiles: { names: ["id", "stable_id"], of: "id" },
  identifiers: { names: ["identifier", "profile_id", "birth_id"], of: "identifier" },
};
const ROWS_A_STATEMENT = 50_000;

/** The copies are named `person-0000`, `person-0001`, … from `from` to `to`. */
export async function clonePerson({ bench, site }: Setting, person: string, from: number, to: number): Promise<void> {
  const db = await bench.mf.getD1Database("DB", "product");
  const identifier = `anonymousId:${person}`;
  const known = await db
    .prepare("SELECT profile_id FROM identifiers WHERE site_id = ?1 AND identifier = ?2")
    .bind(site.id, identifier)
    .first<{ profile_id: string }>();
  if (!known) throw new Error(`${identifier} is nobody`);

  for (const [table, { names, of }] of Object.entries(TABLES)) {
    const { results } = await db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all<{ name: string }>();
    const columns = results.map(({ name }) => name);
    const values = columns.map((column) =>
      names.includes(column) ? `template.${column} || '-' || printf('%04d', number.value)` : `template.${column}`,
    );
    const whose = of === "owner" || of === "identifier" ? identifier : known.profile_id;
    const found = await db
      .prepare(`SELECT count(*) AS n FROM ${table} WHERE site_id = ?1 AND ${of} = ?2`)
      .bind(site.id, whose)
      .first<{ n: number }>();
    const rows = found!.n;
    if (rows === 0) continue;
    const step = Math.max(1, Math.floor(ROWS_A_STATEMENT / rows));
    for (let start = from; start < to; start += step) {
      await db
        .prepare(
          `INSERT INTO ${table} (${columns.join(", ")})
           SELECT ${values.join(", ")} FROM ${table} AS template CROSS JOIN
             (WITH RECURSIVE n (value) AS (SELECT ?3 UNION ALL SELECT value + 1 FROM n WHERE value < ?4) SELECT value FROM n) AS number
           WHERE template.site_id = ?1 AND template.${of} = ?2`,
        )
        .bind(site.id, whose, start, Math.min(start + step, to) - 1)
        .run();
    }
  }
}
