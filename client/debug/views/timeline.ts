/** What was heard, newest first. */
import { h } from "../dom.ts";
import { formatClock } from "../format.ts";
import type { Model } from "./model.ts";
import { hint, json, more } from "./parts.ts";

export const viewTimeline = ({ journal: { notes } }: Model) => [
  notes.length
    ? h(
        "ul.rows.timeline",
        {},
        notes.map(({ id, at, kind, text, detail }) => {
          const row = [h("time.at", {}, formatClock(at)), h("i.mark", { "data-kind": kind }), h("span", {}, text)];
          return h(
            "li",
            { "data-key": `${id}` },
            detail === undefined ? h("div.row", {}, row) : more(row, "", json(detail)),
          );
        }),
      )
    : hint("Nothing heard since this panel opened."),
];
