/** What is pretended in this tab. */
import { h } from "../dom.ts";
import { formatClock, formatShift } from "../format.ts";
import { listSlots } from "../slot.ts";
import type { Model } from "./model.ts";
import { choices, hint, mark, section } from "./parts.ts";

const HOUR_MS = 3_600_000;
const SHIFTS = [0, HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS, 30 * 24 * HOUR_MS];

export const viewSimulate = ({ now, simulation, standings, actual, problem, visit }: Model) => {
  const { plan, contents } = simulation;
  const ends = actual.flatMap(({ until }) => (until !== null && until > now ? until - now : []));
  const next = Math.min(...ends);
  const slots = [...new Set(listSlots().map(({ name }) => name))];
  return [
    h(
      "p.hint",
      { "data-key": "intro" },
      "In this tab, until you reset it. Slots show what a stranger in these segments would get. The simulation records nothing and tells the page’s own code nothing; what you do yourself counts as always.",
    ),
    ...(problem ? [h("p.problem", { role: "alert", "data-key": "problem" }, problem)] : []),
    section(
      "Clock",
      choices("Clock", "shift", [
        ...SHIFTS.map((shift): [string, string, boolean] => [
          shift ? formatShift(shift) : "Now",
          `${shift}`,
          shift === plan.shift,
        ]),
        ...(next < Infinity ? [["Next change", `${next}`, false] as [string, string, boolean]] : []),
      ]),
      h(
        "label.bar",
        {},
        h("span", {}, "It is"),
        h("input", {
          type: "datetime-local",
          step: 1,
          "data-on": "instant",
          value: toLocal(now + plan.shift, plan.shift),
        }),
        h("span.hint", {}, plan.shift ? formatShift(plan.shift) : "the real time"),
      ),
    ),
    section(
      "Segments",
      standings.length
        ? h(
            "ul.rows",
            {},
            standings.map(({ key, value }) => {
              const set = plan.segments[key];
              const before = actual.find((other) => other.key === key)?.value ?? false;
              return h(
                "li",
                { "data-key": key, "data-segment": key, "data-changed": before !== value },
                h(
                  "div.row",
                  {},
                  mark(value),
                  h("b", {}, key),
                  choices(key, "segment", [
                    ["As is", `${key} `, set === undefined],
                    ["In", `${key} true`, set === true],
                    ["Out", `${key} false`, set === false],
                  ]),
                ),
              );
            }),
          )
        : hint("No segment is known here."),
    ),
    section(
      "Slots",
      slots.length
        ? slots.map((slot) => {
            const wanted = plan.variants[slot];
            const content = contents[slot] ?? visit()!.state.slots[slot];
            const isRefused = wanted && contents[slot] && contents[slot].reason !== "simulated";
            return h(
              "label.bar",
              { "data-key": slot, "data-slot": slot },
              h("b", {}, slot),
              h("input", {
                "data-on": "variant",
                "data-arg": slot,
                value: wanted ?? "",
                placeholder: content?.variant ?? "key of a variant",
                spellcheck: "false",
                autocapitalize: "off",
              }),
              h(
                "small",
                {},
                isRefused
                  ? `no “${wanted}” that a stranger could get: ${content?.variant ?? "the page’s own"} is shown`
                  : `shows ${content?.variant ?? "the page’s own"}${content ? ` (${content.reason})` : ""}`,
              ),
            );
          })
        : hint("No slot in this page."),
    ),
  ];
};

/** In words: `+1 d, interested-shoes in, hero: sale`. */
export function summarize({ plan }: Model["simulation"], now: number): string {
  return [
    plan.shift && `${formatShift(plan.shift)} (${formatClock(now + plan.shift)})`,
    ...Object.entries(plan.segments).map(([key, isIn]) => `${isIn ? "in" : "not in"} ${key}`),
    ...Object.entries(plan.variants).map(([slot, variant]) => `${slot}: ${variant}`),
  ]
    .filter(Boolean)
    .join(", ");
}

/** As `datetime-local` has it. Without a shift to the minute, so that it does not change under one's fingers. */
function toLocal(at: number, shift: number): string {
  const step = shift ? 1_000 : 60_000;
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000).getTime();
  return new Date(Math.floor(local / step) * step).toISOString().slice(0, 19);
}
