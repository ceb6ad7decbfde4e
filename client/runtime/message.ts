/** Messages as in the Segment spec, at the moment of the call: what only the moment knows is in them, who it was is not yet. */
import type { EventType, HistoryEvent, JsonObject, Message } from "../../shared/event.ts";
import { EVENT_BYTES } from "../../shared/limits.ts";
import { cleanObject, countBytes } from "./clean.ts";
import { newId } from "./id.ts";

/** Room for the ids that are added later. */
const IDS_BYTES = 768;

/** @throws where it is larger than an event may be. */
export function buildDraft(type: EventType, fields: Partial<Message>, around: JsonObject, context: unknown): Message {
  const draft = {
    type,
    messageId: newId(),
    timestamp: new Date().toISOString(),
    ...fields,
    context: { ...around, ...cleanObject(context) },
  };
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
