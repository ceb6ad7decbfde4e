/** Who the visitor is, by what this device knows. */
import { flatten, formatClock, plural } from "../format.ts";
import type { Model } from "./model.ts";
import { copyButton, facts, hint, json, more, section } from "./parts.ts";

export const viewProfile = ({ visit, copied }: Model) => {
  const { state, subject } = visit()!;
  const id = (name: string, value: string | undefined, none: string): [string, ...(HTMLElement | string)[]] =>
    value ? [name, value, copyButton(value, name, copied)] : [name, none];
  const traits = flatten(state.traits);
  return [
    section(
      "Who",
      facts([
        id("anonymousId", state.anonymousId, ""),
        id("userId", state.userId, "– not identified"),
        id("stableId", state.stableId, "– the edge has not answered yet"),
      ]),
    ),
    section("Traits", traits.length ? facts(traits) : hint("None: identify() gives some.")),
    section("Context", facts(flatten(subject().context).filter(([path]) => !path.startsWith("consent.")))),
    section(
      "History",
      hint(`${plural(state.events.length, "event")} kept on this device, those that rules look at.`),
      state.events
        .toReversed()
        .slice(0, 50)
        .map(({ timestamp, type, event, properties }) =>
          more(`${formatClock(timestamp)} ${event || type}`, `${timestamp}${event}`, json(properties)),
        ),
    ),
  ];
};
