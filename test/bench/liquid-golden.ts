/**
 * `node test/bench/liquid-golden.ts FILE`: renders every case of Golden Liquid (`golden_liquid.json`) with liquidjs as it comes and
 * with Attune's dialect as plain text, and says how many each passes: in all, on the tags and filters that the dialect documents, and
 * by tag or filter where one fails. `--failures` prints each failure. Exits with 1 where the dialect passes fewer than liquidjs.
 */
import { readFileSync } from "node:fs";
import { Liquid } from "liquidjs";
import { FILTERS, TAGS } from "../../edge/blocks/liquid/dialect.ts";
import { checkText, renderText, type Scope } from "../../edge/blocks/liquid.ts";

interface Case {
  name: string;
  template: string;
  data?: Scope;
  templates?: { [name: string]: string };
  result?: string;
  results?: string[];
  /** It has to be refused, when it is parsed or rendered. */
  invalid?: boolean;
  /** `"join filter"`, `"for tag"`, and features of the suite. */
  tags?: string[];
}

type Outcome = { text: string } | { error: string };

const [path, ...flags] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: node test/bench/liquid-golden.ts FILE [--failures]");
  process.exit(2);
}

const cases: Case[] = JSON.parse(readFileSync(path, "utf8")).tests;
const judged = cases.map((item) => {
  const plain = renderPlain(item);
  const ours = renderOurs(item);
  return { item, plain: isRight(item, plain), ours: isRight(item, ours), outcome: ours };
});

const documented = judged.filter(({ item }) => isDocumented(item));
console.log(`liquidjs             ${share(judged.map(({ plain }) => plain))}`);
console.log(`dialect              ${share(judged.map(({ ours }) => ours))}`);
console.log(`liquidjs, documented ${share(documented.map(({ plain }) => plain))}`);
console.log(`dialect, documented  ${share(documented.map(({ ours }) => ours))}`);

const compiled = judged.filter(({ outcome }) => outcome.isCompiled);
console.log(`compiled, as liquidjs renders it ${share(compiled.map(({ outcome }) => outcome.isSame === true))}`);

const classes = Map.groupBy(
  judged.filter(({ ours, plain }) => !ours || !plain),
  ({ item }) =>
    [(item.tags ?? [])[0] ?? item.name.split(",")[0], isDocumented(item) ? "" : " (not in the dialect)"].join(""),
);
for (const [name, failed] of [...classes].sort()) {
  const wrong = (key: "plain" | "ours") => failed.filter((one) => !one[key]).length;
  console.log(`${name}: liquidjs fails ${wrong("plain")}, dialect ${wrong("ours")}`);
  if (!flags.includes("--failures")) continue;
  for (const { item, ours, outcome } of failed.filter(({ ours }) => !ours)) {
    const expected = item.invalid ? "an error" : JSON.stringify(item.result ?? item.results);
    console.log(`  ${item.name}: ${JSON.stringify(item.template)} of ${JSON.stringify(item.data ?? {})}`);
    console.log(`    is ${JSON.stringify(ours || outcome)}, should be ${expected}`);
  }
}
const count = (key: "plain" | "ours") => judged.filter((one) => one[key]).length;
process.exitCode = count("ours") >= count("plain") ? 0 : 1;

function renderPlain({ template, data = {}, templates = {} }: Case): Outcome {
  try {
    return { text: new Liquid({ templates, relativeReference: false }).parseAndRenderSync(template, data) };
  } catch (error) {
    return { error: String(error) };
  }
}

function renderOurs({ template, data = {} }: Case): Outcome & { isCompiled?: boolean; isSame?: boolean } {
  const checked = checkText(template);
  if ("errors" in checked) return { error: checked.errors[0]!.detail };
  const moment = { now: Date.now(), timeZone: "UTC" };
  const rendered = renderText(checked.template, data, moment);
  const interpreted = renderText({ ...checked.template, compiled: null }, data, moment);
  const compared = { isCompiled: checked.template.compiled !== null, isSame: rendered.text === interpreted.text };
  return rendered.error === undefined ? { text: rendered.text, ...compared } : { error: rendered.error, ...compared };
}

function isRight({ result, results = [result!], invalid }: Case, outcome: Outcome): boolean {
  return "error" in outcome ? invalid === true : !invalid && results.includes(outcome.text);
}

/** Every tag and filter that it is about is one that the dialect has. */
function isDocumented({ tags = [] }: Case): boolean {
  return tags.every((tag) => {
    const [name, kind] = tag.split(" ");
    if (kind === "tag") return TAGS.includes(name!);
    return kind !== "filter" || Object.hasOwn(FILTERS, name!);
  });
}

function share(right: readonly boolean[]): string {
  const count = right.filter(Boolean).length;
  return `${count} of ${right.length} (${((100 * count) / right.length).toFixed(1)} %)`;
}
