/** An event as in the Segment spec: the one record of what a person did, in the browser, on the wire and in D1. */

export const EVENT_TYPES = ["track", "page", "screen", "identify", "alias", "group"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** A JSON object. Its keys come from outside: read it with `Object.hasOwn`, never with `in`. */
export type JsonObject = { [key: string]: unknown };

/** What every message carries. Times are ISO 8601 with milliseconds; `receivedAt` is set by the Worker. */
export interface Message {
  type: EventType;
  /** Unique per message and the same on every resend: the key that makes ingest idempotent. */
  messageId: string;
  anonymousId?: string;
  userId?: string;
  timestamp?: string;
  sentAt?: string;
  /** Positive integer, one more with each message that a browser keeps: what is missing was not received. */
  seq?: number;
  context?: JsonObject;
  /** `track`: the event's name. */
  event?: string;
  /** `page` and `screen`: the page's name. */
  name?: string;
  /** `alias`: the identifier that `userId` also goes by. */
  previousId?: string;
  /** `group`: the account that the person belongs to. */
  groupId?: string;
  /** `track`, `page`, `screen`. */
  properties?: JsonObject;
  /** `identify` and `group`. */
  traits?: JsonObject;
}

/** An event as rules see it: what happened, when, with which properties. `timestamp` is epoch milliseconds. */
export interface HistoryEvent {
  type: EventType;
  /** `track`: event; `page` and `screen`: name; otherwise empty. */
  event: string;
  timestamp: number;
  properties: JsonObject;
}
