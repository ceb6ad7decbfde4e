/** One new event of somebody whose answers are kept. */
import { describeRace, type Raced, race } from "../rules/race.ts";
import { UPDATE_CONTESTANTS } from "../rules/update-contestants.ts";
import type { Case } from "./case.ts";

const RULES = 500;
const SIZES = [1_000, 10_000];
const [NAME] = Object.keys(UPDATE_CONTESTANTS) as [string];

export const rulesUpdates: Case = {
  name: "rules-updates",
  needsWorkerd: false,
  async run({ quick }) {
    const races = (quick ? SIZES.slice(0, 1) : SIZES).map((events) => {
      const [raced] = race([NAME], { field: "updates", rules: RULES, events }, quick) as [Raced];
      return { events, micros: raced.nanos / 1_000, decided: mean(raced.sums) };
    });
    const [measured] = races as [(typeof races)[0]];
    return {
      title: `One new event, ${RULES} rules over windows: those that it touches are decided again`,
      columns: ["events before", "µs", "rules decided", "ns/rule"],
      rows: races.map(({ events, micros, decided }) => [
        events.toLocaleString("en-US"),
        micros,
        decided,
        (micros * 1_000) / decided,
      ]),
      notes: ["16 histories in turn, each grows by some thousand events, one a second in all", describeRace(quick)],
      goals: [
        {
          name: "one new event, all rules that it touches",
          value: measured.micros,
          unit: "µs",
          floor: 8,
          atMost: true,
        },
      ],
    };
  },
};

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
