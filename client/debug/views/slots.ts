/** Each slot in the page and what was decided for it. */
import { h } from "../dom.ts";
import { formatBytes } from "../format.ts";
import { listSlots } from "../slot.ts";
import type { Model } from "./model.ts";
import { button, countdown, hint, json, more } from "./parts.ts";

const REASONS: { [reason: string]: string } = {
  targeted: "its audience holds for this visitor",
  experiment: "drawn by an experiment",
  holdout: "held out of an experiment",
  fallback: "no audience holds",
  "no-consent": "personalization is not allowed",
  "no-block": "no block is published for this slot",
  error: "the block could not be rendered",
  simulated: "chosen in the simulation",
};

export const viewSlots = ({ visit, simulation, now }: Model) => {
  const { state } = visit()!;
  const slots = listSlots();
  if (!slots.length)
    return [hint("No slot in this page: put an <attune-block name> or an element with data-attune-slot there.")];
  return [
    h(
      "ul.rows",
      {},
      slots.map(({ name, element }, i) => {
        const simulated = simulation.contents[name];
        const content = simulated ?? state.slots[name];
        const { html, ...decision } = content ?? { html: null };
        const shown = !content
          ? "nothing decided yet: the page’s own content"
          : html === null
            ? "the page’s own content"
            : simulated || element.dataset["attuneDecision"] === content.id
              ? `shown, ${formatBytes(html)} of HTML`
              : "decided, but not shown";
        // What is simulated holds for nobody.
        const until = !simulated && content?.until;
        return h(
          "li",
          { "data-key": `${i}`, "data-slot": name },
          h(
            "div.row",
            {},
            h("b", {}, name),
            h("span.tag", { "data-value": html ? "true" : "false" }, content?.variant ?? "the page’s own"),
            until && countdown(Date.parse(until), now),
            button("Show", "show", `${i}`, { class: "small", "aria-label": `Show slot ${name} in the page` }),
            h(
              "small",
              {},
              [simulated && "simulated", content && `${content.reason}: ${REASONS[content.reason]}`, shown]
                .filter(Boolean)
                .join(" · "),
            ),
          ),
          content && more("Decision", "decision", json(decision), html !== null && h("pre", { tabindex: 0 }, html)),
        );
      }),
    ),
  ];
};
