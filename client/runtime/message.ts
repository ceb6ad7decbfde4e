/** Messages as in the Segment spec, at the moment of the call: what only the moment knows is in them, who it was is not yet. */
import type { HistoryEvent, JsonObject, Message } from "../../shared/event.ts";
import { EVENT_BYTES } from "../../shared/limits.ts";
import { clean, countBytes, stringify } from "./clean.ts";
import { newId } from "./id.ts";

/** Room for the ids that are added later. */
const IDS_BYTES = 768;

/**
 * @param fields what is text already; what is made of `data` is added.
 * @param data by field, what a page handed over, added to `base`.
 * @param context what a page handed over, added to what is `around`.
 * @throws where it is larger than an event may be.
 */
export function buildDraft(
  fields: JsonObject,
  data: JsonObject,
  base: JsonObject | undefined,
  around: JsonObject,
  context: unknown,
): Message {
  const budget = { room: EVENT_BYTES };
  const add = (to: JsonObject | undefined, value: unknown) => ({ ...to, ...(clean(value, budget) as object) });
  for (const [field, value] of Object.entries(data)) fields[field] = add(add({}, base), value);
  const draft = JSON.parse(
    stringify({
      messageId: newId(),
      timestamp: new Date().toISOString(),
      ...fields,
      context: add(around, context),
    }),
  );
  if (countBytes(draft) > EVENT_BYTES - IDS_BYTES) throw "too large";
  return draft;
}

export function toHistoryEvent({ type, event, name, timestamp, properties, traits }: Message): HistoryEvent {
  return {
    type,
    event: event ?? name ?? "",
    timestamp: Date.parse(timestamp!),
    properties: properties ?? traits ?? {},
  };
}
