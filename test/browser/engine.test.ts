/** The golden vectors in Chromium, asked of the engine as the script is built, on a page that forbids all code from strings. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { bundle } from "../../cli/build.ts";
import type { Condition } from "../../shared/condition.ts";
import { analyze } from "../../shared/engine/analyze.ts";
import { compile } from "../../shared/engine/compile.ts";
import { browserLanguage } from "../../shared/engine/language.ts";
import { fullLanguage } from "../../shared/engine/language-edge.ts";
import { kindOf } from "../../shared/engine/run.ts";
import type { Answer } from "../../shared/engine/types.ts";
import { shipped } from "../unit/shared/shipped.ts";
import { type Row, rows, subjectOf } from "../unit/shared/vectors.ts";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import type { Question } from "./engine-page.ts";

let server: Server;
let browser: Browser;
let decideAll: (questions: readonly Question[]) => Promise<Answer[]>;

beforeAll(async () => {
  const entry = fileURLToPath(new URL("engine-page.ts", import.meta.url));
  const script = await bundle(entry, "iife", "0");
  server = createServer(({ url }, response) => {
    const isScript = url === "/engine.js";
    response.writeHead(200, {
      "content-type": isScript ? "text/javascript" : "text/html",
      "content-security-policy": "default-src 'none'; script-src 'self'",
    });
    response.end(isScript ? script : '<!doctype html><script src="/engine.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await chromium.launch({ executablePath: inject("chromium"), args: CHROMIUM_FLAGS });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  decideAll = (questions) => page.evaluate((asked) => globalThis.decideAll(asked), questions);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

const questionOf = (row: Row): Question => ({
  rules: shipped([...(row.rules ?? []), { key: "asked", condition: row.condition }]),
  timeZone: row.timeZone ?? "UTC",
  subject: subjectOf(row),
  now: Date.parse(row.now),
});

const conditionsOf = ({ condition, rules = [] }: Row) => [condition, ...rules.map((rule) => rule.condition)];

/** The browser has all parts of it; no answer is given to it from elsewhere. */
const isShipped = (row: Row) =>
  conditionsOf(row).every((condition) => {
    const { runtime, segments } = analyze(condition);
    return runtime === "browser" && !segments.some((segment) => subjectOf(row).segments?.[segment]);
  });

it("answers what may be shipped as the golden vectors say", async () => {
  const sent = rows.filter(isShipped);
  expect(sent.length).toBeGreaterThan(rows.length / 3);
  const answers = await decideAll(sent.map(questionOf));
  const named = sent.map(({ name }, i) => [name, answers[i]!.value, toIso(answers[i]!.until)]);
  expect(named).toEqual(sent.map(({ name, value, until }) => [name, value, until]));
});

it("knows nothing of a leaf that it does not have, and everything else of the rest", async () => {
  const lacking = rows.filter((row) => conditionsOf(row).some(lacksLeaf));
  const pairs = lacking.map((row) => ({ row, blanked: blankAll(row) }));
  // Beside such a leaf only what it has: to hold the rest back is for `analyze`.
  const asked = pairs.filter(({ blanked }) => isShipped(blanked));
  expect(asked.length).toBeGreaterThan(100);
  const answers = await decideAll(asked.map(({ row }) => questionOf(row)));
  const expected = asked.map(({ blanked }) => {
    const { rules, timeZone, subject, now } = questionOf(blanked);
    return compile(rules, { timeZone }, fullLanguage).evaluate(subject, now).at(-1);
  });
  const withName = (list: readonly unknown[]) => list.map((answer, i) => [asked[i]!.row.name, answer]);
  expect(withName(answers)).toEqual(withName(expected));
});

const toIso = (until: number | null) => (until === null ? null : new Date(until).toISOString());

const childrenOf = (condition: Condition) => {
  const { all, any, not } = condition as { all?: Condition[]; any?: Condition[]; not?: Condition };
  return kindOf(condition) ? undefined : (all ?? any ?? (not && [not]));
};

function lacksLeaf(condition: Condition): boolean {
  const kind = kindOf(condition);
  return childrenOf(condition)?.some(lacksLeaf) ?? !Object.hasOwn(browserLanguage.leaves, kind!);
}

/** The condition with a leaf that nobody knows in place of those that the browser lacks. */
function blank(condition: Condition): Condition {
  const { all, any } = condition as { all?: Condition[]; any?: Condition[] };
  const inside = childrenOf(condition)?.map(blank);
  if (inside) return all ? { all: inside } : any ? { any: inside } : { not: inside[0]! };
  return lacksLeaf(condition) ? { segment: "held back" } : condition;
}

const blankAll = (row: Row): Row => ({
  ...row,
  condition: blank(row.condition),
  rules: (row.rules ?? []).map(({ key, condition }) => ({ key, condition: blank(condition) })),
});
