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

/** An answer that came with the subject; `since`, where it is known, only tells `why`. */
export interface GivenAnswer extends Answer {
  since?: number;
}

/** Of whom the question is. Whatever is left out is empty, not an error. */
export interface Subject {
  /** The stable id that samples and variants are drawn by. */
  id?: string;
  traits: JsonObject;
  /** Ascending by timestamp. */
  events: readonly HistoryEvent[];
  /** Only events after this instant are all there: histories are bounded. Null or left out = all there ever were. Only `why` looks at it. */
  completeAfter?: number | null;
  context?: JsonObject;
  /** Answers for segments that are not rules of the same program; one that is missing is unknown here. */
  segments?: { readonly [key: string]: GivenAnswer };
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

/** Why a leaf is unknown: purposes not granted; parts of it, by pointer, that this runtime lacks; or a value that is not known here. */
export interface Unknown {
  reason: "consent" | "runtime" | "value";
  what: string[];
}

/** One node of a trace: what was asked, what was found, what is missing. */
export interface Why extends Answer {
  /**
   * The node in a sentence that a marketer understands: `did "Product Viewed" at least 2 times in the last 24 hours: no (1 time so
   * far, 1 more needed before Fri 27 Nov 2026 14:00)`. Instants are on the site's clock.
   */
  says: string;
  /** JSON Pointer of the node in the condition. */
  pointer: string;
  /** Key of the rule that `pointer` leads into; left out: what was asked. */
  segment?: string;
  /** What was found: a count, an aggregate, a value; how long ago in milliseconds for `recency`; steps reached for a `sequence`. */
  actual?: unknown;
  required?: unknown;
  /** How much more the number has to be, negative where it is too much; for `time`, `date`, `recency`, `unless`: milliseconds to wait. */
  missing?: number;
  unknown?: Unknown;
  /** Of a group: positions of the children that decide it. */
  decides?: number[];
  /** Only events after this instant were looked at; with older ones the answer could be another. */
  completeAfter?: number;
  /** The parts of a group; of a `segment` that is a rule, its trace. */
  children?: Why[];
}
