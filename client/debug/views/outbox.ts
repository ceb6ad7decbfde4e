/** What waits to be sent, and what became of the events of this page. */
import { h } from "../dom.ts";
import { formatClock, formatLeft, plural } from "../format.ts";
import { nameOf } from "../journal.ts";
import type { Model } from "./model.ts";
import { button, hint, json, more, section } from "./parts.ts";

export const viewOutbox = ({ waiting, journal, now }: Model) => {
  const oldest = waiting[0]?.timestamp;
  return [
    h(
      "div.bar",
      { "data-key": "bar" },
      h(
        "span",
        { role: "status" },
        waiting.length
          ? `${plural(waiting.length, "message")} without an ack${oldest ? `, the oldest for ${formatLeft(now - Date.parse(oldest))}` : ""}`
          : "Everything is acked.",
      ),
      button("Flush", "flush"),
    ),
    ...(waiting.length
      ? [
          section(
            "Waiting, all tabs",
            waiting.map((message) => more(nameOf(message), message.messageId, json(message))),
          ),
        ]
      : []),
    section(
      "This page",
      journal.events.length
        ? h(
            "ul.rows",
            {},
            journal.events.map(({ id, name, at, state, problem }) =>
              h(
                "li",
                { "data-key": id, "data-state": state },
                h(
                  "div.row",
                  {},
                  h("time.at", {}, formatClock(at)),
                  h("b", {}, name),
                  h("span.tag", { "data-value": STATES[state] }, state),
                  problem && h("small", {}, problem),
                ),
              ),
            ),
          )
        : hint("Nothing captured since this panel opened."),
    ),
  ];
};

const STATES = { waiting: "unknown", acked: "true", refused: "refused" };
