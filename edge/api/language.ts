/** The condition language as the reference explains it: an example of each kind of condition, the operators, what always holds. */
import type { Condition } from "../../shared/condition.ts";
import { CONDITION_DEPTH, CONDITION_NODES, WINDOW_DAYS } from "../../shared/limits.ts";

/** A condition, and when it holds. */
const EXAMPLES: readonly (readonly [Condition, string])[] = [
  [{ all: [{ trait: "plan", eq: "pro" }, { not: { segment: "staff" } }] }, "Each of `all`, one of `any`, `not` this"],
  [{ trait: "address.country", in: ["NL", "BE"] }, "The trait at this path satisfies the operators beside it"],
  [{ context: "page.path", startsWith: "/sale" }, "So does this request: `page campaign device geo locale timezone`"],
  [
    { event: "Order Completed", where: { revenue: { gte: 50 } }, within: "30d", count: { gte: 2 } },
    'So many events in the last …; without `count` at least one, `{"eq": 0}` = none; `type` for page and identify',
  ],
  [{ event: "Order Completed", between: ["7d", "30d"] }, "From 30 to 7 days ago; also `after`, `before` an instant"],
  [
    { event: "Order Completed", sum: "revenue", gte: 500, within: "365d" },
    "A property's `sum avg min max distinct first last` over the events",
  ],
  [{ event: "Product Viewed", days: { gte: 3 }, within: "14d" }, "On so many days of the site's time zone"],
  [{ event: "Order Completed", recency: { gt: "90d" } }, "So long since the last one; false if there was none"],
  [
    { sequence: [{ event: "Product Viewed" }, { event: "Product Added" }], gap: "2h", within: "30d" },
    "One after the other, each at most `gap` after the one before",
  ],
  [
    { event: "Product Added", unless: { event: "Order Completed", same: ["cart_id"] }, after: "1h", within: "7d" },
    "At least 1 hour ago, and nothing of `unless` with the `same` properties since then",
  ],
  [
    { ratio: [{ event: "Order Completed" }, { event: "Product Viewed" }], within: "90d", min: 5, gte: 0.1 },
    "The first count by the second, of which there are at least `min`",
  ],
  [{ segment: "vip" }, "Is in the segment, dynamic or a list"],
  [
    { time: { weekday: ["sat", "sun"], from: "18:00", to: "23:00", zone: "visitor" } },
    "The clock in the zone of the visitor, the `site`, or an IANA one",
  ],
  [
    { date: { trait: "birthday" }, anniversary: true, within: "7d" },
    'The date, or its return, is in the coming 7 days; `"-7d"` = in the last',
  ],
  [{ sample: { seed: "a", from: 0, to: 0.1 } }, "Of all people this tenth, always the same ones"],
];

/** Markdown. */
export const LANGUAGE = `A segment's \`condition\` says who is in it, a variant's \`audience\` who sees it; both are written like this:

| condition | holds |
| --- | --- |
${EXAMPLES.map(([condition, holds]) => `| \`${JSON.stringify(condition)}\` | ${holds} |`).join("\n")}

**Operators**, all of which have to hold: \`eq ne in nin gt gte lt lte exists contains startsWith endsWith like\` (\`*\` = any text),
\`before after within\` of dates, \`any all none size\` of lists, \`where\` of objects; \`number text lower version isA\` read the value as
such. \`{"trait": "path"}\` in place of a value is the person's own. Nothing is converted: \`"5"\` is not \`5\`. What is missing satisfies
\`ne\`, \`nin\` and \`"exists": false\` only.

**Durations** are \`"90s" "15m" "48h" "30d" "12w"\`, at most ${WINDOW_DAYS} days. An event that is exactly so old has left the window.

**Unknown** is what needs a purpose that the person has not allowed (analytics for events, personalization for traits) or a time zone
that the visitor has not told. Where the answer is unknown, nobody is a member. A condition has at most ${CONDITION_NODES} parts,
${CONDITION_DEPTH} deep.`;
