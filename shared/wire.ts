/** Shapes of the public HTTP plane that both runtimes speak. Times are ISO 8601 with milliseconds. */

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
  warnings?: { index: number; pointer: string; code: string; detail: string }[];
}

export interface DecideRequest {
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
