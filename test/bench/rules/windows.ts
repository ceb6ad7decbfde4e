/** Random rules over what happened in a window, and random histories of ninety days for them. */
import type { Condition } from "../../../shared/condition.ts";
import type { Rule } from "../../../shared/engine/types.ts";
import type { HistoryEvent } from "../../../shared/event.ts";
import { createRandom } from "../../unit/shared/random.ts";
import { NOW } from "./race.ts";

export type WindowRule = { event: string; days: number } & (
  | { kind: "count" | "sum"; atLeast: number }
  | { kind: "where"; category: string; atLeast: number }
  /** Viewed two days ago or before, and the same product not ordered since. */
  | { kind: "unless" }
);

export interface Person {
  id: string;
  traits: { [trait: string]: never };
  /** Ascending by timestamp. */
  events: HistoryEvent[];
}

export const DAY_MS = 86_400_000;
export const UNLESS_AFTER_DAYS = 2;
export const ANSWER = "Order Completed";
const VIEW = "Product Viewed";
/** The first are the most frequent. */
const EVENTS = [
  VIEW,
  "Product List Viewed",
  "Products Searched",
  "Product Added",
  "Product Clicked",
  ANSWER,
  "Checkout Started",
  "Promotion Viewed",
  "Cart Viewed",
  "Signed In",
];
const CATEGORIES = ["shoes", "bags", "hats", "coats"];
const DAYS = [1, 3, 7, 14, 30, 60, 90];

export function buildPeople(count: number, events: number): Person[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `person-${index}`,
    traits: {},
    events: buildHistory(index, events),
  }));
}

function buildHistory(seed: number, count: number): HistoryEvent[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => buildEvent(random, NOW - random.below(90 * DAY_MS))).sort(
    (a, b) => a.timestamp - b.timestamp,
  );
}

export function buildEvent(random: ReturnType<typeof createRandom>, timestamp: number): HistoryEvent {
  const rank = Math.floor((random.below(1_000) / 1_000) ** 1.7 * EVENTS.length);
  return {
    type: "track",
    event: EVENTS[rank]!,
    timestamp,
    properties: {
      product_id: `product-${random.below(40)}`,
      category: random.pick(CATEGORIES),
      value: random.below(20_000) / 100,
    },
  };
}

export function buildWindowRules(count: number): WindowRule[] {
  const random = createRandom(3);
  return Array.from({ length: count }, (): WindowRule => {
    const share = random.below(100);
    const selected = { event: random.pick(EVENTS), days: random.pick(DAYS) };
    if (share < 60) return { kind: "count", ...selected, atLeast: 1 + random.below(8) };
    if (share < 75)
      return { kind: "where", ...selected, category: random.pick(CATEGORIES), atLeast: 1 + random.below(3) };
    // Between two cents: no order of adding them up gives another answer.
    if (share < 90) return { kind: "sum", ...selected, atLeast: 50 + random.below(900) + 0.005 };
    return { kind: "unless", event: VIEW, days: selected.days };
  });
}

export function toRules(rules: readonly WindowRule[]): Rule[] {
  return rules.map((rule, index) => ({ key: `rule-${index}`, condition: toCondition(rule) }));
}

function toCondition(rule: WindowRule): Condition {
  const { event } = rule;
  const within = `${rule.days}d`;
  switch (rule.kind) {
    case "count":
      return { event, within, count: { gte: rule.atLeast } };
    case "where":
      return { event, where: { category: { eq: rule.category } }, within, count: { gte: rule.atLeast } };
    case "sum":
      return { event, within, sum: "value", gte: rule.atLeast };
    case "unless":
      return { event, unless: { event: ANSWER, same: ["product_id"] }, after: `${UNLESS_AFTER_DAYS}d`, within };
  }
}
