/**
 * `node test/bench/growthbook.ts FILE`: imports the conditions of GrowthBook's `evalCondition` cases (the `cases.json` that its SDKs
 * share) and asks the engine what each case asks. Says how many are right, which are refused and for what reason, and which are
 * wrong; exits with 1 when one is.
 */
import { readFileSync } from "node:fs";
import { REFUSALS, type Refusal } from "../../edge/segments/mongo/refusals.ts";
import { fromMongo } from "../../edge/segments/mongo.ts";
import { compile } from "../../shared/engine/compile.ts";
import { fullLanguage } from "../../shared/engine/language-edge.ts";
import type { JsonObject } from "../../shared/event.ts";

type Case = [name: string, condition: unknown, attributes: JsonObject, expected: boolean, savedGroups?: object];

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: node test/bench/growthbook.ts FILE");
  process.exit(2);
}

const cases: Case[] = JSON.parse(readFileSync(path, "utf8")).evalCondition;
const right: string[] = [];
const wrong: string[] = [];
const refused = new Map<Refusal, string[]>();
for (const [name, mongo, traits, expected, savedGroups] of cases) {
  const { condition, errors } = fromMongo(mongo, { savedGroups });
  if (errors) {
    const { code } = errors[0]!;
    refused.set(code, [...(refused.get(code) ?? []), name]);
    continue;
  }
  const program = compile([{ key: name, condition }], { timeZone: "UTC" }, fullLanguage);
  const { value } = program.evaluate({ traits, events: [] }, 0)[0]!;
  if (value === expected) right.push(name);
  else wrong.push(`${name}: ${JSON.stringify(mongo)} of ${JSON.stringify(traits)} is ${value}`);
}

const share = (count: number) => `${count} of ${cases.length} (${((100 * count) / cases.length).toFixed(1)} %)`;
console.log(`right    ${share(right.length)}`);
console.log(`refused  ${share(cases.length - right.length - wrong.length)}`);
for (const [code, names] of refused) {
  console.log(`  ${code}: ${REFUSALS[code]}`);
  for (const name of names) console.log(`    ${name}`);
}
console.log(`wrong    ${share(wrong.length)}`);
for (const line of wrong) console.log(`  ${line}`);
process.exitCode = wrong.length === 0 ? 0 : 1;
