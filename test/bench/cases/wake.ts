/** How many people a second the cron trigger decides anew, and what of D1 that takes. */
import { createSite } from "../site.ts";
import type { Usage } from "../workers/count.ts";
import { type Case, JSON_HEADERS, type Setting } from "./case.ts";
import { clonePerson } from "./clone.ts";

const PEOPLE = 100_000;
/** People who really came, and whom the others are copies of. */
const TEMPLATES = 10;
const DAY_MS = 24 * 3_600_000;
/** Time that seeding may take, before anybody is due. */
const SEEDING_MS = { quick: 10_000, whole: 40_000 };

/** Two shoes seen: a day later, and nothing else happening, a segment of theirs is left. */
const EVENTS = [
  { event: "Product Viewed", properties: { product_id: "P1", category: "shoes", price: 80 } },
  { event: "Product Viewed", properties: { product_id: "P2", category: "shoes", price: 90 } },
  { event: "Product Added", properties: { product_id: "P2", cart_id: "C1", price: 90, quantity: 1 } },
  { event: "Order Completed", properties: { order_id: "O1", revenue: 90 } },
];

interface Work {
  seconds: number;
  cpuSeconds: number;
  minutes: number;
  statements: number;
  rowsRead: number;
  rowsWritten: number;
}

export const wake: Case = {
  name: "wake",
  needsWorkerd: true,
  async run({ bench, pace, quick }) {
    const setting: Setting = { bench, pace, quick, site: await createSite(bench.product) };
    const people = quick ? PEOPLE / 10 : PEOPLE;
    await seed(setting, people);
    const isDue = "SELECT count(*) AS n FROM profiles WHERE site_id = ?1 AND wakes_at <= unixepoch() * 1000";
    const isStale = "SELECT count(*) AS n FROM backfills WHERE site_id = ?1 AND finished_at IS NULL";

    const woken = await work(setting, isDue);
    const works: [name: string, work: Work][] = [["time passed: each leaves a segment", woken]];
    await count(setting, "UPDATE profiles SET wakes_at = unixepoch() * 1000 - 1 WHERE site_id = ?1");
    works.push(["due again: nothing changes but the next time", await work(setting, isDue)]);
    await changeRules(setting, "$.within", "23h");
    works.push(["a rule changed: nobody comes or goes", await work(setting, isStale)]);
    await changeRules(setting, "$.where.price", { gte: 1 });
    works.push(["a rule looks at another property: histories anew", await work(setting, isStale)]);

    return {
      title: `${people.toLocaleString("en-US")} people of ${EVENTS.length} events each, decided by the cron trigger`,
      columns: ["", "people a second", "CPU µs each", "minutes", "D1 statements each", "rows read", "rows written"],
      rows: works.map(([name, one]) => [
        name,
        people / one.seconds,
        (one.cpuSeconds * 1e6) / people,
        one.minutes,
        one.statements / people,
        one.rowsRead / people,
        one.rowsWritten / people,
      ]),
      notes: ["a minute's run ends after 45 s or 600 statements (changed rules: 55 s or 950); the next one goes on"],
      goals: [
        {
          name: "people decided by time alone",
          value: people / woken.seconds,
          unit: "a second",
          floor: 1_000,
          aim: 10_000,
        },
        {
          name: "D1 statements for each",
          value: woken.statements / people,
          unit: "",
          floor: 0.1,
          aim: 0.02,
          atMost: true,
        },
      ],
    };
  },
};

async function seed(setting: Setting, people: number): Promise<void> {
  const { bench, site, quick } = setting;
  const dueAt = Date.now() + (quick ? SEEDING_MS.quick : SEEDING_MS.whole);
  for (let template = 0; template < TEMPLATES; template++) {
    const person = `due-${template}`;
    const batch = EVENTS.map((event, index) => ({
      type: "track",
      ...event,
      anonymousId: person,
      messageId: `${person}-${index}`,
      timestamp: new Date(dueAt - DAY_MS + index - EVENTS.length).toISOString(),
    }));
    await post(`${bench.product}/v1/batch`, { writeKey: site.writeKey, sentAt: new Date().toISOString(), batch });
    await clonePerson(setting, person, 1, people / TEMPLATES);
  }
  if (Date.now() > dueAt) throw new Error("Seeding took longer than it may: the first are due already");
  const found = await count(setting, "SELECT count(*) AS n FROM profiles WHERE site_id = ?1 AND wakes_at IS NOT NULL");
  if (found !== people) throw new Error(`${found} people in place of ${people}`);
  // A second's grain: `isDue` counts whole ones.
  await new Promise((resolve) => setTimeout(resolve, dueAt + 1_000 - Date.now()));
}

/** Through a block's publish: it publishes all that is saved, and leaves the backfill to the cron trigger. */
async function changeRules(setting: Setting, path: string, value: unknown): Promise<void> {
  const { bench, site } = setting;
  await count(
    setting,
    `UPDATE segments SET condition = json_set(condition, ?2, json(?3)), version = version + 1
     WHERE site_id = ?1 AND key = 'interested-in-shoes'`,
    path,
    JSON.stringify(value),
  );
  await post(`${bench.product}/api/blocks/hero/publish`, {}, { authorization: `Bearer ${site.secretKey}` });
}

/** Minute after minute, until nobody is left to decide. */
async function work(setting: Setting, left: string): Promise<Work> {
  const { bench } = setting;
  const done: Work = { seconds: 0, cpuSeconds: 0, minutes: 0, statements: 0, rowsRead: 0, rowsWritten: 0 };
  while ((await count(setting, left)) > 0) {
    const before = bench.cpuSeconds() ?? Number.NaN;
    const startedAt = performance.now();
    const usage = (await post(`${bench.counted}/bench/minute`, {})) as Usage;
    done.seconds += (performance.now() - startedAt) / 1_000;
    done.cpuSeconds += (bench.cpuSeconds() ?? Number.NaN) - before;
    done.minutes++;
    done.statements += usage.calls.reduce((sum, { statements }) => sum + statements.length, 0);
    done.rowsRead += usage.rowsRead;
    done.rowsWritten += usage.rowsWritten;
  }
  return done;
}

/** The number that a statement about the site answers. */
async function count({ bench, site }: Setting, sql: string, ...values: unknown[]): Promise<number> {
  const db = await bench.mf.getD1Database("DB", "product");
  const row = await db
    .prepare(sql)
    .bind(site.id, ...values)
    .first<{ n: number }>();
  return row?.n ?? 0;
}

async function post(url: string, body: unknown, headers: { [name: string]: string } = {}): Promise<unknown> {
  const init = { method: "POST", headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
