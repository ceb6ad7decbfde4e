/** Everything that is stored of some people, in a form that two runs can be compared in, and what must hold in any of them. */

type Row = Record<string, string | number | null>;

/** Table → rows. Birth ids, which are random, are replaced by the identifier that each was given to, instants by what stands for them. */
export type People = Record<"identifiers" | keyof typeof TABLES, Row[]>;

/** How rows of each are found: by identifier, or by the ids of profiles. */
const TABLES = {
  profiles: ["id", "birthId"],
  memberships: ["profile_id", "birthId"],
  membership_log: ["profile_id", "birthId"],
  audit: ["subjects ->> 0", "birthId"],
  events: ["owner", "identifier"],
  histories: ["owner", "identifier"],
  traits: ["identifier", "identifier"],
  consents: ["identifier", "identifier"],
  links: ["a", "identifier"],
  conflicts: ["a", "identifier"],
} as const;
/** Different in each run: who else is stored has a part in them. */
const OF_THE_RUN = ["site_id", "salt", "seq"];

/**
 * @param part that all identifiers of these people, and of nobody else, have in them
 * @param instants what stands for times that may differ between runs
 */
export async function readPeople(
  db: D1Database,
  siteId: string,
  part: string,
  instants: ReadonlyMap<number, number>,
): Promise<People> {
  const nodes = await db
    .prepare("SELECT * FROM identifiers WHERE site_id = ?1 AND instr(identifier, ?2)")
    .bind(siteId, part)
    .all<Row>();
  const names = new Map(nodes.results.map((row) => [String(row["birth_id"]), String(row["identifier"])]));
  const lists = { birthId: JSON.stringify([...names.keys()]), identifier: JSON.stringify([...names.values()]) };
  const tables = Object.entries(TABLES);
  const found = await db.batch<Row>(
    tables.map(([table, [column, by]]) =>
      db
        .prepare(`SELECT * FROM ${table} WHERE site_id = ?1 AND ${column} IN (SELECT value FROM json_each(?2))`)
        .bind(siteId, lists[by]),
    ),
  );
  const { results: identifiers } = nodes;
  const people = Object.fromEntries([
    ["identifiers", identifiers.map(comparable)],
    ...tables.map(([table], index) => [table, found[index]!.results.map(comparable)]),
  ]) as People;
  // The log of each profile is in order; its numbers are shared with others.
  people.membership_log = [...Map.groupBy(people.membership_log, (row) => row["profile_id"]).values()].flatMap((rows) =>
    rows.map(({ id: _, ...row }, index) => ({ ...row, index })),
  );
  for (const rows of Object.values(people)) rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return people;

  function comparable(row: Row): Row {
    const kept = Object.entries(row).filter(([column]) => !OF_THE_RUN.includes(column));
    const text = JSON.stringify(Object.fromEntries(kept))
      .replaceAll(/p_[0-9a-f]{20}/g, (id) => names.get(id) ?? id)
      .replaceAll(/\b\d{13}\b/g, (time) => String(instants.get(Number(time)) ?? time));
    return JSON.parse(text);
  }
}

/**
 * What two worlds share of which one never had a link that the other had for a while: all but the traces of how people were united
 * and taken apart.
 */
export function standing({ membership_log: _, audit: __, profiles, ...rest }: People): object {
  const own = profiles.filter((row) => row["merged_into"] === null);
  return { ...rest, profiles: own.map(({ version: _, manifest_version: __, ...row }) => row) };
}

/** What does not hold; empty where all is well. */
export function checkPeople(people: People): string[] {
  const faults: string[] = [];
  const profileOf = new Map(people.identifiers.map((row) => [row["identifier"], row["profile_id"]]));
  const profiles = new Map(people.profiles.map((row) => [row["id"], row]));

  for (const [profile, nodes] of Map.groupBy(people.identifiers, (row) => row["profile_id"])) {
    const [eldest] = nodes.toSorted(
      (a, b) => Number(a["first_seen"]) - Number(b["first_seen"]) || (a["identifier"]! < b["identifier"]! ? -1 : 1),
    );
    if (eldest!["identifier"] !== profile) faults.push(`${profile} is named otherwise than ${eldest!["identifier"]}`);
    if (profiles.get(profile)?.["merged_into"] !== null) faults.push(`${profile} is no profile`);
    const users = nodes.filter((row) => String(row["identifier"]).startsWith("userId:"));
    if (users.length > 1) faults.push(`${profile} is ${users.length} users`);
    const names = new Set(nodes.map((row) => row["identifier"]!));
    if (reach(people.links, profile!).symmetricDifference(names).size) faults.push(`${profile} is not what links say`);
  }
  for (const { id, merged_into, decisions, wakes_at } of people.profiles) {
    const decided = Object.entries<[number, number | null]>(JSON.parse(String(decisions))).map(
      ([key, [since]]) => `${key} ${since}`,
    );
    const members = people.memberships.filter((row) => row["profile_id"] === id);
    const listed = members.map(({ segment_key, since }) => `${segment_key} ${since}`);
    if (decided.sort().join() !== listed.sort().join()) faults.push(`${id} is decided ${decided}, listed ${listed}`);
    const log = Map.groupBy(
      people.membership_log.filter((row) => row["profile_id"] === id),
      (row) => row["segment_key"]!,
    );
    for (const [key, changes] of log) {
      const entered = changes.filter(({ change }) => change === "enter").length;
      const left = changes.filter(({ change }) => change === "exit").length;
      const isMember = members.some((row) => row["segment_key"] === key);
      if (entered - left !== Number(isMember)) faults.push(`${id} entered ${key} ${entered} times, left ${left} times`);
    }
    if (merged_into === null) continue;
    if (!profiles.has(merged_into)) faults.push(`${id} is part of ${merged_into}, which is not there`);
    if (wakes_at !== null || decided.length) faults.push(`${id} is part of another, and decided`);
    if (profileOf.get(id!) === id) faults.push(`${id} is part of another, and stands for itself`);
  }
  for (const { owner } of people.events) if (!profileOf.has(owner!)) faults.push(`${owner} is nobody`);
  return faults;
}

/** All that links lead to. */
function reach(links: readonly Row[], from: string | number): Set<string | number> {
  const found = new Set([from]);
  for (const one of found) {
    for (const { a, b, removed_at } of links) {
      if (removed_at !== null) continue;
      if (a === one) found.add(b!);
      if (b === one) found.add(a!);
    }
  }
  return found;
}
