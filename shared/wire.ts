/** Shapes of the public HTTP plane that both runtimes speak. Times are ISO 8601 with milliseconds. */

import type { ConsentMode } from "./consent.ts";
import type { Decision } from "./decision.ts";
import type { JsonObject, Message } from "./event.ts";

/** RFC 9457, as the Worker answers it. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance?: string;
  errors?: { pointer: string; code: string; detail: string }[];
}

export interface IngestAnswer {
  success: true;
  /** Events that are durable now, duplicates of durable ones included. */
  accepted: number;
  /** `index` is the position in the request's list. */
  rejected: { index: number; problem: ProblemDocument }[];
  /** Of accepted events: the message is stored, something that it says is not. Said when it is first received; left out where there is none. */
  warnings?: { index: number; messageId: string; pointer: string; code: string; detail: string }[];
  /** There was no time to wait until they are durable: send them again. */
  pending?: true;
  /** The device's id of before it was wiped: the request's messages are stored as its. */
  anonymousId?: string;
}

/**
 * What a device says of itself beside its messages, in `/decide` and `/batch`. Only what comes from the Worker's own
 * origin is heard.
 */
export interface DeviceState {
  /** What the visitor has allowed: with `full` the edge keeps `anonymousId` in a cookie, with any other mode it deletes it. */
  mode?: ConsentMode;
  /** `anonymousId` was made just now, because the device's storage was empty. */
  wiped?: boolean;
}

export interface DecideRequest extends DeviceState {
  writeKey: string;
  anonymousId?: string;
  userId?: string;
  token?: string;
  sentAt?: string;
  events?: Message[];
  context?: JsonObject;
  slots?: string[];
  /** What the browser decided by itself; honoured for public segments of people of whom nothing is stored. */
  local?: { segments?: string[] };
  /** Key of a variant by slot: shown whoever asks, where anybody could get it by behaving. The reason is `simulated`. */
  variants?: { [slot: string]: string };
}

export type WireDecision = Omit<Decision, "until"> & { until: string | null };

export interface DecideAnswer extends IngestAnswer {
  /** `html: null` = keep what the page has. */
  slots: { [slot: string]: { html: string | null; decision: WireDecision } };
  /** Memberships of this visitor, private segments included; value = until. */
  segments: { [key: string]: string | null };
  stableId: string;
  token: string | null;
  until: string | null;
}

/** What a page that the edge has filled says at its end: the script takes it for its first answer. `until` is never far. */
export interface HandedOver extends Omit<DecideAnswer, keyof IngestAnswer | "stableId"> {
  /** Left out: it is for somebody of whom nothing is known. */
  anonymousId?: string;
  stableId?: string;
  /** Type of the device that it was decided for: an iPad says to servers that it is a Mac. */
  device: string;
}
