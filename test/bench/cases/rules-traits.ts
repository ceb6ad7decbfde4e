/** Rules over traits, decided for one profile in one call, beside other engines and what a hand could write. */
import { describeRace, type Raced, race, timesAsLong } from "../rules/race.ts";
import { TRAIT_CONTESTANTS } from "../rules/trait-contestants.ts";
import type { Case } from "./case.ts";

const RULES = 500;
const FEW_RULES = 50;
const OURS = "attune at the edge";
const LIMIT = "by hand, a function a rule (code generation)";

export const rulesTraits: Case = {
  name: "rules-traits",
  needsWorkerd: false,
  async run({ quick }) {
    const names = Object.keys(TRAIT_CONTESTANTS);
    const times = race(names, { field: "traits", rules: RULES, events: 0 }, quick);
    const few = quick ? undefined : race(names, { field: "traits", rules: FEW_RULES, events: 0 }, true);
    const find = (name: string) => times.find((raced) => raced.name === name)!;
    const ours = find(OURS);
    const rivals = times.filter(({ name }) => !name.startsWith("attune") && !name.startsWith("by hand"));
    const fastest = rivals.reduce((a, b) => (b.nanos < a.nanos ? b : a));
    const row = (raced: Raced, index: number) => [
      raced.name,
      raced.nanos / RULES,
      timesAsLong(raced, ours),
      few ? few[index]!.nanos / FEW_RULES : Number.NaN,
    ];
    return {
      title: `${RULES} rules over 16 traits, 64 profiles in turn, all answers of a call`,
      columns: ["", "ns/rule", "× attune", `ns/rule of ${FEW_RULES}`],
      rows: times.map(row),
      notes: [describeRace(quick), ...(few ? [`${FEW_RULES} rules: ${describeRace(true)}`] : [])],
      goals: [
        {
          name: `rules over traits, to the fastest other (${fastest.name})`,
          value: timesAsLong(fastest, ours),
          unit: "× as fast",
          floor: 4,
        },
        {
          name: "rules over traits, to a hand-written function a rule",
          value: timesAsLong(ours, find(LIMIT)),
          unit: "× the time",
          floor: 1.5,
          atMost: true,
        },
      ],
    };
  },
};
