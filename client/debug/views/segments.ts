/** Each segment, whether the visitor is in it, and why. */
import type { Why } from "../../../shared/engine/types.ts";
import { h } from "../dom.ts";
import { formatClock } from "../format.ts";
import type { Standing } from "../standing.ts";
import type { Model } from "./model.ts";
import { countdown, hint, mark, more } from "./parts.ts";

const VERDICTS: { [value: string]: string } = { true: "in", false: "out", unknown: "unknown" };

export const viewSegments = (model: Model) => {
  const { standings, filter } = model;
  const words = filter.toLowerCase().split(/\s+/);
  const found = standings.filter(({ key, value, why }) =>
    words.every((word) => `${key} ${VERDICTS[`${value}`]} ${why?.says}`.toLowerCase().includes(word)),
  );
  const count = (value: unknown) => standings.filter((standing) => standing.value === value).length;
  return [
    h(
      "div.bar",
      { "data-key": "bar" },
      h("input", {
        type: "search",
        "data-on": "filter",
        value: filter,
        placeholder: "Filter: key, in, out, words …",
        "aria-label": "Filter segments",
      }),
      h("span.hint", {}, `${count(true)} of ${standings.length}`),
    ),
    h(
      "ul.rows",
      {},
      found.map((standing) => segmentRow(standing, model)),
    ),
    ...(found.length ? [] : [hint(standings.length ? "No segment fits." : "The site has no public segment yet.")]),
  ];
};

function segmentRow(standing: Standing, { actual, now, simulation }: Model): HTMLElement {
  const { key, value, by, since, until, why } = standing;
  const before = actual.find((other) => other.key === key)?.value ?? false;
  const at = now + simulation.plan.shift;
  const notes = [
    before !== value && `really ${VERDICTS[`${before}`]}`,
    by === "plan" && "set by you",
    by === "edge" && `the edge, which knows more, says ${value === true ? "yes" : "no"}`,
    value === true && since !== undefined && `since ${since > 0 ? formatClock(since) : "before what is kept here"}`,
    value === true && until === null && by !== "plan" && "stays",
    by === "rule" && why && partsOf(why.says).notes,
  ];
  const row = [
    mark(value),
    h("b", {}, key),
    h("span.tag", { "data-value": `${value}` }, VERDICTS[`${value}`]),
    until !== null && countdown(until, at),
    h("small", {}, notes.filter(Boolean).join(" · ")),
  ];
  if (!why || by === "plan") return h("li", { "data-key": key, "data-segment": key }, h("div.row", {}, row));
  return h("li", { "data-key": key, "data-segment": key }, more(row, key, h("ul.tree", {}, whyNode(why))));
}

function whyNode(why: Why): HTMLElement {
  const { what, notes, rest } = partsOf(why.says);
  return h(
    "li",
    {},
    mark(why.value),
    h("span", {}, why.segment === undefined ? "" : `${why.segment}: `, what),
    // A group repeats what its parts say.
    h("small", {}, [!why.children && notes, rest].filter(Boolean).join(" · ")),
    why.children && h("ul.tree", {}, why.children.map(whyNode)),
  );
}

/** `what: verdict (notes), until …, then …`, the verdict being said by the mark. */
function partsOf(says: string): { what: string; notes: string; rest: string } {
  const [, what = says, notes = "", rest = ""] =
    /^(.*): (?:yes|no|unknown)(?: \((.*?)\))?(?:, ((?:at least )?until .*?))?$/s.exec(says) ?? [];
  return { what, notes, rest };
}
