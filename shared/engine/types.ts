/** What the engine takes and answers, the same in both runtimes. */
import type { Condition } from "../condition.ts";
import type { Purpose } from "../consent.ts";
import type { HistoryEvent, JsonObject } from "../event.ts";

export type Truth = true | false | "unknown";

/** `until`: the earliest instant after `now` at which the value may change with nothing new; null = never. */
export interface Answer {
  value: Truth;
  until: number | null;
}

/** Of whom the question is. Whatever is left out is empty, not an error. */
export interface Subject {
  /** The stable id that samples and variants are drawn by. */
  id?: string;
  traits: JsonObject;
  /** Ascending by timestamp. */
  events: readonly HistoryEvent[];
  context?: JsonObject;
  /** Answers for segments that are not rules of the same program; one that is missing is unknown here. */
  segments?: { readonly [key: string]: Answer };
  /** Purposes granted; left out = all of them. */
  consent?: readonly Purpose[];
}

export interface Rule {
  key: string;
  condition: Condition;
}

export interface CompileOptions {
  /** The site's IANA zone: where days begin. */
  timeZone: string;
}

/** Rules compiled together, sub-expressions shared. `{segment}` leaves see the other rules of the program. */
export interface Program {
  readonly keys: readonly string[];
  /** One answer per rule, in the order of `keys`. Never throws, whatever the subject holds. */
  evaluate(subject: Subject, now: number): Answer[];
}

/** One node of a trace: what was asked, what was found, what is missing. */
export interface Why {
  value: Truth;
  until: number | null;
  /** The node in a sentence that a marketer understands: "viewed 1 of 2 products in the last 24 hours, 1 more before 14:00". */
  says: string;
  /** JSON Pointer of the node in the condition. */
  pointer: string;
  actual?: unknown;
  required?: unknown;
  missing?: unknown;
  children?: Why[];
}
