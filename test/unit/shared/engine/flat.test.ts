import { expect, it } from "vitest";
import type { Condition } from "../../../../shared/condition.ts";
import { createEvaluator } from "../../../../shared/engine/evaluation.ts";
import { createRandom } from "../random.ts";
import { compileShipped } from "../shipped.ts";

const TIME = { timeZone: "UTC" };
const TRAITS = ["plan", "country", "age", "spent", "tags"];
const VALUES = [null, true, false, "pro", "free", "", 0, -0, 1, 17, 17.5, -3, 1e308, 5e-324];
const random = createRandom(20261122);

function randomLeaf(): Condition {
  const trait = random.pick(TRAITS);
  const numbers = VALUES.filter((value) => typeof value === "number");
  switch (random.below(5)) {
    case 0:
      return { trait, [random.pick(["eq", "ne"])]: random.pick(VALUES) };
    case 1:
      return { trait, [random.pick(["in", "nin"])]: random.list(0, 5, () => random.pick(VALUES)) };
    case 2:
      return { trait, [random.pick(["gt", "gte", "lt", "lte"])]: random.pick(numbers) };
    case 3:
      return { trait, contains: random.pick(VALUES), exists: random.chance(0.5) };
    default:
      return { trait, startsWith: "p", endsWith: "o" };
  }
}

function randomRule(depth: number): Condition {
  if (depth === 0 || random.chance(0.4)) return randomLeaf();
  const children = random.list(0, 3, () => randomRule(depth - 1));
  return random.pick<Condition>([{ all: children }, { any: children }, { not: randomRule(depth - 1) }]);
}

const randomValue = () => (random.chance(0.2) ? random.list(0, 4, () => random.pick(VALUES)) : random.pick(VALUES));

it.each([1, 40, 12_000])("answers %i rules over facts as the closures do", (count) => {
  const rules = Array.from({ length: count }, (_, index) => ({ key: `r${index}`, condition: randomRule(3) }));
  const flat = createEvaluator(rules, TIME);
  const closures = compileShipped(rules, TIME);
  for (let i = 0; i < 2_000 / count + 5; i++) {
    const traits = Object.fromEntries(random.some(TRAITS).map((trait) => [trait, randomValue()]));
    const subject = { traits, events: [], ...(random.chance(0.2) && { consent: ["analytics" as const] }) };
    expect(flat.evaluate(subject, 0), JSON.stringify(traits)).toEqual(closures.evaluate(subject, 0));
  }
});
