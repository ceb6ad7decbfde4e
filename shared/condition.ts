/** The condition language, as types. The grammar and its fixed semantics are documented in docs at /api and checked in edge/segments/schema.ts. */
import type { EventType } from "./event.ts";

export type Scalar = string | number | boolean | null;
/** Compare with a constant, or with the person's own trait. */
export type Operand = Scalar | { trait: string };
/** `"90s" "15m" "48h" "30d" "12w"`; a leading `-` looks back where a leaf allows it. */
export type Duration = string;

/** Operators; several in one object are ANDed. */
export interface Operators {
  eq?: Operand;
  ne?: Operand;
  in?: Operand[];
  nin?: Operand[];
  gt?: Operand;
  gte?: Operand;
  lt?: Operand;
  lte?: Operand;
  exists?: boolean;
  contains?: Operand;
  startsWith?: Operand;
  endsWith?: Operand;
  like?: string;
  /** ISO instant: the date lies before it. */
  before?: Operand;
  /** ISO instant: the date lies after it. */
  after?: Operand;
  /** The date lies in the last … (half-open: `now - within < date <= now`). */
  within?: Duration;
  any?: Operators;
  all?: Operators;
}

/** Which events: `event` is track's name or page's name, `type` defaults to `track`. One of the two must be given. */
export interface EventSelector {
  event?: string;
  type?: EventType;
  where?: { [path: string]: Operators };
}

/** When: nothing means the whole history up to now. */
export interface Window {
  within?: Duration;
  /** `["7d","30d"]`: from 30 days ago to 7 days ago. */
  between?: [Duration, Duration];
  /** Absolute ISO instants. */
  after?: string;
  before?: string;
}

export type NumberOperators = Pick<Operators, "eq" | "ne" | "in" | "nin" | "gt" | "gte" | "lt" | "lte">;

export interface EventCondition extends EventSelector, Window, Omit<Operators, "after" | "before" | "within"> {
  count?: NumberOperators;
  sum?: string;
  avg?: string;
  min?: string;
  max?: string;
  distinct?: string;
  first?: string;
  last?: string;
  days?: NumberOperators;
  /** Time since the last match; operands are durations. */
  recency?: { gt?: Duration; gte?: Duration; lt?: Duration; lte?: Duration };
}

export interface UnlessCondition extends EventSelector {
  unless: EventSelector & { same?: string[] };
  after: Duration;
  within?: Duration;
}

export interface SequenceCondition {
  sequence: EventSelector[];
  gap?: Duration;
  within?: Duration;
}

export interface RatioCondition extends NumberOperators, Window {
  ratio: [EventSelector, EventSelector];
  /** The ratio is not judged while the second count is below this. */
  min?: number;
}

export interface TimeCondition {
  time: {
    weekday?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
    from?: string;
    to?: string;
    /** `"visitor"`, `"site"` or an IANA name. */
    zone?: string;
  };
}

export interface DateCondition {
  date: { trait: string };
  anniversary?: boolean;
  within: Duration;
}

export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }
  | ({ trait: string } & Operators)
  | ({ context: string } & Operators)
  | { segment: string }
  | { sample: { seed: string; from: number; to: number } }
  | EventCondition
  | UnlessCondition
  | SequenceCondition
  | RatioCondition
  | TimeCondition
  | DateCondition;
