/**
 * YooChoose clicks counted by plain loops, as a witness for the Worker's segments: nothing of the product is imported,
 * each question is asked once as a condition and once as code.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface Click {
  item: string;
  /** Epoch milliseconds. */
  at: number;
}

export interface Question {
  key: string;
  says: string;
  condition: object;
  /** `clicks` are one session's, in the order of the file; all of them lie before `now`. */
  answer(clicks: readonly Click[], now: number): boolean;
}

/** Session → clicks. */
export function readClicks(path: string, limit = Number.POSITIVE_INFINITY): Map<string, Click[]> {
  const bytes = readFileSync(path);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("utf8");
  const sessions = new Map<string, Click[]>();
  let count = 0;
  for (const line of text.split("\n").slice(1)) {
    if (line.trim() === "" || count++ >= limit) continue;
    const [session, item, seconds] = line.split("\t") as [string, string, string];
    const clicks = sessions.get(session) ?? [];
    clicks.push({ item, at: Math.round(Number(seconds) * 1_000) });
    sessions.set(session, clicks);
  }
  return sessions;
}

/** The items with most clicks, most first. */
export function topItems(sessions: Map<string, Click[]>, count: number): string[] {
  const clicks = new Map<string, number>();
  for (const session of sessions.values())
    for (const { item } of session) clicks.set(item, (clicks.get(item) ?? 0) + 1);
  return [...clicks]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, count)
    .map(([item]) => item);
}

export function viewsOneItemTwice(clicks: readonly Click[]): boolean {
  return new Set(clicks.map(({ item }) => item)).size < clicks.length;
}

export function buildQuestions(sessions: Map<string, Click[]>): Question[] {
  const viewed = { event: "Product Viewed" };
  const [first, second, third] = topItems(sessions, 3) as [string, string, string];
  const longest = Math.max(...[...sessions.values()].map((clicks) => clicks.length));
  const ofItem = (item: string) => ({ ...viewed, where: { product_id: { eq: item } } });
  const since = (clicks: readonly Click[], now: number, ms: number) => clicks.filter(({ at }) => at > now - ms);

  return [
    {
      key: "five-views",
      says: "≥ 5 views, ever",
      condition: { ...viewed, count: { gte: 5 } },
      answer: (clicks) => clicks.length >= 5,
    },
    {
      key: "one-item-twice",
      says: "one item at least twice",
      // More views than items, said in a language that compares with constants only.
      condition: {
        any: Array.from({ length: longest - 1 }, (_, index) => ({
          all: [
            { ...viewed, distinct: "product_id", eq: index + 1 },
            { ...viewed, count: { gt: index + 1 } },
          ],
        })),
      },
      answer: viewsOneItemTwice,
    },
    {
      key: "three-items",
      says: "≥ 3 distinct items",
      condition: { ...viewed, distinct: "product_id", gte: 3 },
      answer: (clicks) => new Set(clicks.map(({ item }) => item)).size >= 3,
    },
    ...[first, second, third].map(
      (item): Question => ({
        key: `item-${item}-twice`,
        says: `item ${item} ≥ 2 times`,
        condition: { ...ofItem(item), count: { gte: 2 } },
        answer: (clicks) => clicks.filter((click) => click.item === item).length >= 2,
      }),
    ),
    {
      key: "not-the-top-item",
      says: `never item ${first}`,
      condition: { all: [viewed, { ...ofItem(first), count: { eq: 0 } }] },
      answer: (clicks) => clicks.every(({ item }) => item !== first),
    },
    {
      key: "two-days",
      says: "views on ≥ 2 days (UTC)",
      condition: { ...viewed, days: { gte: 2 } },
      answer: (clicks) => new Set(clicks.map(({ at }) => Math.floor(at / DAY_MS))).size >= 2,
    },
    {
      key: "last-is-top",
      says: `last view is item ${first}`,
      condition: { ...viewed, last: "product_id", eq: first },
      answer: (clicks) => clicks.reduce((last, click) => (click.at >= last.at ? click : last)).item === first,
    },
    {
      key: "top-then-other",
      says: `item ${first}, another within 30 min`,
      condition: { sequence: [ofItem(first), { ...viewed, where: { product_id: { ne: first } } }], gap: "30m" },
      answer: (clicks) =>
        clicks.some(
          (a) =>
            a.item === first && clicks.some((b) => b.item !== first && b.at > a.at && b.at - a.at <= 30 * MINUTE_MS),
        ),
    },
    {
      key: "ended-on-top",
      says: `item ${first}, no other since 10 min`,
      condition: {
        ...ofItem(first),
        unless: { ...viewed, where: { product_id: { ne: first } } },
        after: "10m",
      },
      answer: (clicks, now) =>
        clicks.some(
          (a) =>
            a.item === first && a.at <= now - 10 * MINUTE_MS && !clicks.some((b) => b.item !== first && b.at > a.at),
        ),
    },
    {
      key: "two-views-730d",
      says: "≥ 2 views within 730 days",
      condition: { ...viewed, within: "730d", count: { gte: 2 } },
      answer: (clicks, now) => since(clicks, now, 730 * DAY_MS).length >= 2,
    },
    {
      key: "two-views-24h",
      says: "≥ 2 views within 24 h",
      condition: { ...viewed, within: "24h", count: { gte: 2 } },
      answer: (clicks, now) => since(clicks, now, 24 * HOUR_MS).length >= 2,
    },
    {
      key: "three-items-48h",
      says: "≥ 3 distinct items within 48 h",
      condition: { ...viewed, within: "48h", distinct: "product_id", gte: 3 },
      answer: (clicks, now) => new Set(since(clicks, now, 48 * HOUR_MS).map(({ item }) => item)).size >= 3,
    },
    {
      key: "between-1d-3d",
      says: "a view 1 to 3 days ago",
      condition: { ...viewed, between: ["1d", "3d"] },
      answer: (clicks, now) => clicks.some(({ at }) => at > now - 3 * DAY_MS && at <= now - DAY_MS),
    },
    {
      key: "away-for-4d",
      says: "last view more than 4 days ago",
      condition: { ...viewed, recency: { gt: "4d" } },
      answer: (clicks, now) => now - Math.max(...clicks.map(({ at }) => at)) > 4 * DAY_MS,
    },
  ];
}
