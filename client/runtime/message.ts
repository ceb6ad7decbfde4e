/** Messages as in the Segment spec, at the moment of the call: what only the moment knows is in them, who it was is not yet. */
import type { EventType, HistoryEvent, Message } from "../../shared/event.ts";
import { EVENT_BYTES } from "../../shared/limits.ts";
import { cleanObject, countBytes } from "./clean.ts";
import { buildContext } from "./context.ts";

export function buildDraft(type: EventType, fields: Partial<Message>, context?: unknown): Message {
  return {
    type,
    messageId: crypto.randomUUID(),
    timestamp: new Date().toISOString(),
    ...fields,
    context: { ...buildContext(), ...cleanObject(context) },
  };
}

export const isTooLarge = (message: Message): boolean => countBytes(message) > EVENT_BYTES;

/** Orders and who somebody is: worth waiting for the disk. */
export const isPrecious = ({ type, event }: Message): boolean => type === "identify" || event === "Order Completed";

export function toHistoryEvent({ type, event, name, timestamp, properties, traits }: Message): HistoryEvent {
  return {
    type,
    event: event ?? name ?? "",
    timestamp: Date.parse(timestamp!),
    properties: properties ?? traits ?? {},
  };
}
