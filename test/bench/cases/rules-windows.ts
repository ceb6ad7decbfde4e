/** Rules over windows of events, as a history grows, beside what a hand would write. */
import { describeRace, race, timesAsLong } from "../rules/race.ts";
import { WINDOW_CONTESTANTS } from "../rules/window-contestants.ts";
import type { Case } from "./case.ts";

const RULES = 500;
const LEAST = 100;
/** The history on which contestants are compared. */
const COMPARED = 1_000;
const MOST = 10_000;
const SIZES = [LEAST, COMPARED, MOST];
const KEPT = "attune, index kept, all rules again";
const NAIVE = "by hand, filter over the array";

export const rulesWindows: Case = {
  name: "rules-windows",
  needsWorkerd: false,
  async run({ quick }) {
    const names = Object.keys(WINDOW_CONTESTANTS);
    const grown = quick ? [KEPT] : names;
    const bySize = new Map(
      SIZES.map((events) => [
        events,
        race(events === COMPARED ? names : grown, { field: "windows", rules: RULES, events }, quick),
      ]),
    );
    const find = (name: string, events = COMPARED) => bySize.get(events)!.find((raced) => raced.name === name);
    const timesAs = (name: string) => timesAsLong(find(NAIVE)!, find(name)!);
    return {
      title: `${RULES} rules over windows of 1 to 90 days: count, count with where, sum, unless; ns/rule by events`,
      columns: [
        "",
        ...SIZES.map((events) => events.toLocaleString("en-US")),
        `× filter at ${COMPARED.toLocaleString("en-US")}`,
      ],
      rows: names.map((name) => [
        name,
        ...SIZES.map((events) => (find(name, events)?.nanos ?? Number.NaN) / RULES),
        timesAs(name),
      ]),
      notes: ["8 histories in turn, each call a second later", describeRace(quick)],
      goals: [
        {
          name: `rules over ${COMPARED.toLocaleString("en-US")} events, index kept`,
          value: timesAs(KEPT),
          unit: "× as fast as filter",
          floor: 20,
        },
        {
          name: `index kept, ${MOST.toLocaleString("en-US")} events / ${LEAST}`,
          value: timesAsLong(find(KEPT, MOST)!, find(KEPT, LEAST)!),
          unit: "× the time",
          floor: Math.log(MOST) / Math.log(LEAST),
          atMost: true,
        },
      ],
    };
  },
};
