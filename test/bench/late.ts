/**
 * The YooChoose segments made after the data came in: filled by the backfill, then one edited and one archived. Everybody whom the
 * API lists is put beside the plain loops, not only how many they are.
 */
import { setTimeout as wait } from "node:timers/promises";
import { type Api, callApi } from "../../cli/api.ts";
import type { Click, Question } from "./clicks.ts";
import { formatCell } from "./report.ts";

const PAGE = 200;
/** Requests under way at once. */
const WIDTH = 32;
const POLL_MS = 250;

interface Backfill {
  done: number;
  startedAt: string;
  finishedAt: string | null;
}

/** One minute's work of the Worker. */
export async function runSchedule(api: Api): Promise<void> {
  await fetch(`${api.url}/cdn-cgi/handler/scheduled`);
}

export async function createSegments(api: Api, questions: readonly Question[]): Promise<void> {
  for (const question of questions) await callApi(api, "POST", "/api/segments", toSegment(question));
}

/**
 * Compares everybody and the estimates, edits the first segment, compares again, and archives the last.
 * @param sessions with the times that the Worker has
 * @returns how many differ
 */
export async function checkLate(
  api: Api,
  questions: readonly Question[],
  sessions: ReadonlyMap<string, readonly Click[]>,
): Promise<number> {
  const profiles = await readProfiles(api, sessions.keys());
  let differing = await compareMembers(api, questions, sessions, profiles);
  await compareEstimates(api, questions, sessions);

  const [first, last] = [questions[0]!, questions.at(-1)!];
  const edited: Question = {
    ...first,
    says: "≥ 3 views, ever (edited)",
    condition: { event: "Product Viewed", count: { gte: 3 } },
    answer: (clicks) => clicks.length >= 3,
  };
  const { key: _, kind: __, ...change } = toSegment(edited);
  await callApi(api, "PUT", `/api/segments/${edited.key}`, change);
  await awaitBackfill(api);
  differing += await compareMembers(api, [edited, ...questions.slice(1)], sessions, profiles);

  const left = await listMembers(api, last.key);
  await callApi(api, "DELETE", `/api/segments/${last.key}`);
  await awaitBackfill(api);
  const wrong = await countLeftOtherwise(api, last.key, left);
  console.log(`archived ${last.says}: ${formatCell(left.size)} members left, ${wrong} of them not by cause rule`);
  return differing + (wrong ? 1 : 0);
}

/** Does the work of each minute until everybody is decided by the newest rules, and prints how fast the last backfill went. */
export async function awaitBackfill(api: Api): Promise<void> {
  let job = await readBackfill(api);
  while (job.finishedAt === null) {
    await runSchedule(api);
    await wait(POLL_MS); // a request may be working on it
    job = await readBackfill(api);
  }
  const seconds = (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1_000;
  const pace = formatCell(Math.round(job.done / seconds));
  console.log(`\nbackfill of ${formatCell(job.done)} people: ${seconds.toFixed(1)} s, ${pace} people/s`);
}

async function readBackfill(api: Api): Promise<Backfill> {
  return (await callApi<Backfill>(api, "GET", "/api/backfill")).body;
}

/** Session → id of its profile. */
async function readProfiles(api: Api, sessions: Iterable<string>): Promise<Map<string, string>> {
  const profiles = new Map<string, string>();
  await forEachWide([...sessions], async (session) => {
    const { body } = await callApi<{ id: string }>(api, "GET", `/api/profiles?anonymousId=yoochoose-${session}`);
    profiles.set(session, body.id);
  });
  return profiles;
}

/** Returns how many segments list somebody whom the loops do not find, or the other way, or say another size than they list. */
async function compareMembers(
  api: Api,
  questions: readonly Question[],
  sessions: ReadonlyMap<string, readonly Click[]>,
  profiles: ReadonlyMap<string, string>,
): Promise<number> {
  const known = new Set(profiles.values());
  let differing = 0;
  let listed = 0;
  for (const { key, says, answer } of questions) {
    const from = Date.now();
    await runSchedule(api);
    const members = await listMembers(api, key);
    const size = await readSize(api, key);
    const to = Date.now();
    listed += members.size;
    let wrong = [...members].filter((id) => !known.has(id)).length;
    for (const [session, clicks] of sessions) {
      const isMember = members.has(profiles.get(session)!);
      // Where a click left a window meanwhile, either is right.
      if (isMember !== answer(clicks, from) && isMember !== answer(clicks, to)) wrong++;
    }
    if (!wrong && size === members.size) continue;
    differing++;
    console.log(`${says}: ${wrong} people DIFFERENT; size says ${size}, ${members.size} are listed`);
  }
  console.log(
    `${formatCell(listed)} members of ${questions.length} segments read by cursor: ${differing || "no"} segments differ`,
  );
  return differing;
}

/** Estimates are right in 95 of 100 only: printed, not judged. */
async function compareEstimates(
  api: Api,
  questions: readonly Question[],
  sessions: ReadonlyMap<string, readonly Click[]>,
): Promise<void> {
  console.log(`\n${"estimate".padEnd(36)} ${"low".padStart(8)} ${"members".padStart(8)} ${"high".padStart(8)}`);
  for (const { says, condition, answer } of questions) {
    const { body } = await callApi<{ members: number; low: number; high: number }>(
      api,
      "POST",
      "/api/segments/estimate",
      { condition },
    );
    const now = Date.now();
    const size = [...sessions.values()].filter((clicks) => answer(clicks, now)).length;
    const cells = [body.low, body.members, body.high].map((cell) => formatCell(cell).padStart(8)).join(" ");
    const verdict = size >= body.low && size <= body.high ? "inside" : "OUTSIDE";
    console.log(`${says.padEnd(36)} ${cells}  ${formatCell(size)} ${verdict}`);
  }
}

/** Whose newest log line of the segment is not an exit because of a changed rule. */
async function countLeftOtherwise(api: Api, key: string, profiles: ReadonlySet<string>): Promise<number> {
  let wrong = 0;
  await forEachWide([...profiles], async (profile) => {
    const log = await callApi<{ data: { segment: string; change: string; cause: string }[] }>(
      api,
      "GET",
      `/api/profiles/${profile}/log?limit=${PAGE}`,
    );
    const newest = log.body.data.find(({ segment }) => segment === key);
    if (newest?.change !== "exit" || newest.cause !== "rule") wrong++;
  });
  return wrong;
}

async function listMembers(api: Api, key: string): Promise<Set<string>> {
  const members = new Set<string>();
  for (let next: string | null = ""; next !== null; ) {
    const path: string = `/api/segments/${key}/members?limit=${PAGE}${next && `&cursor=${encodeURIComponent(next)}`}`;
    const page = await callApi<{ data: { profile: string }[]; next: string | null }>(api, "GET", path);
    for (const { profile } of page.body.data) members.add(profile);
    next = page.body.next;
  }
  return members;
}

/** Members at the end of the newest hour. */
async function readSize(api: Api, key: string): Promise<number | undefined> {
  const path = `/api/segments/${key}/size?by=hour`;
  return (await callApi<{ points: { members: number }[] }>(api, "GET", path)).body.points.at(-1)?.members;
}

function toSegment({ key, says, condition }: Question) {
  return { key, name: says, kind: "dynamic", visibility: "private", status: "active", condition };
}

async function forEachWide<T>(items: readonly T[], visit: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const walk = async () => {
    for (const item of rest) await visit(item);
  };
  await Promise.all(Array.from({ length: WIDTH }, walk));
}
