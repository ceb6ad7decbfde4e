/** Rules over windows of events, as a history grows, beside what a hand would write. */
import { describeRace, type Raced, race, timesAsLong } from "../rules/race.ts";
import { WINDOW_CONTESTANTS } from "../rules/window-contestants.ts";
import type { Case } from "./case.ts";

const RULES = 500;
const SIZES = [100, 1_000, 10_000];
/** The history on which contestants are compared. */
const COMPARED = 1_000;
const NAIVE = "by hand, filter over the array";

export const rulesWindows: Case = {
  name: "rules-windows",
  needsWorkerd: false,
  async run({ quick }) {
    const names = Object.keys(WINDOW_CONTESTANTS);
    const bySize = new Map(
      SIZES.map((events) => [events, race(names, { field: "windows", rules: RULES, events }, quick)] as const),
    );
    const find = (name: string, events = COMPARED): Raced => bySize.get(events)!.find((raced) => raced.name === name)!;
    return {
      title: `${RULES} rules over windows of 1 to 90 days: count, count with where, sum, unless; ns/rule by events`,
      columns: [
        "",
        ...SIZES.map((events) => events.toLocaleString("en-US")),
        `× filter at ${COMPARED.toLocaleString("en-US")}`,
      ],
      rows: names.map((name) => [
        name,
        ...SIZES.map((events) => find(name, events).nanos / RULES),
        timesAsLong(find(NAIVE), find(name)),
      ]),
      notes: ["8 histories in turn, each call a second later", describeRace(quick)],
      goals: names
        .filter((name) => name.startsWith("attune"))
        .map((name) => ({
          name: `rules over ${COMPARED.toLocaleString("en-US")} events, ${name}`,
          value: timesAsLong(find(NAIVE), find(name)),
          unit: "× as fast as filter",
          floor: 20,
        })),
    };
  },
};
