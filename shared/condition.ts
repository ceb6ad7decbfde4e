/**
 * The condition language, as types. The grammar and its fixed semantics are documented in docs at /api and checked in
 * edge/segments/schema.ts; test/cases/conditions.json fixes each of them with an example.
 */
import type { EventType } from "./event.ts";

export type Scalar = string | number | boolean | null;
/** Compare with a constant, or with the person's own trait. */
export type Operand = Scalar | { trait: string };
/** `"90s" "15m" "48h" "30d" "12w"`; a leading `-` looks back where a leaf allows it. */
export type Duration = string;
/** As JSON Schema names them. */
export type JsonType = "string" | "number" | "boolean" | "null" | "array" | "object";

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
  /** A value is there, `null` included. */
  exists?: boolean;
  contains?: Operand;
  startsWith?: Operand;
  endsWith?: Operand;
  /** `*` stands for any text; the whole value has to match. */
  like?: string;
  /** ISO instant: the date lies before it. */
  before?: Operand;
  /** ISO instant: the date lies after it. */
  after?: Operand;
  /** The date lies in the last … (half-open: `now - within < date <= now`). */
  within?: Duration;
  /** Some element of an array satisfies all of these. */
  any?: Operators;
  /** Each element of an array does; of an empty one, yes. */
  all?: Operators;
  /** None of these holds. */
  none?: Operators[];
  /** The values at these paths inside the value do, which are missing where it is no object. */
  where?: { [path: string]: Operators };
  /** It is of that JSON type, or of one of several. */
  isA?: JsonType | JsonType[];
  /** It is an array with that many elements. */
  size?: NumberOperators;
  /** As JavaScript's `Number()` reads it: `"5"` is 5, `true` 1, `null` and `""` 0. False for what it cannot read. */
  number?: NumberOperators;
  /** As JavaScript's `String()` writes it: `5` is `"5"`, `[1,2]` is `"1,2"`. The order is that of UTF-16 code units. */
  text?: TextOperators;
  /** It is a string, and in lower case does. */
  lower?: TextOperators;
  /**
   * It is a version. What lies between dots and hyphens is compared in turn, numbers (of up to five digits) as numbers and before words.
   * `v` in front and `+build` do not count; with three parts it is a release and comes after its pre-releases: `1.0 < 1.0.0-rc.2 < v1.0.0`.
   */
  version?: Pick<Operators, "eq" | "ne" | "gt" | "gte" | "lt" | "lte">;
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
  /** Absolute ISO instants: `after <= timestamp < before`, so that windows laid end to end count each event once. */
  after?: string;
  before?: string;
}

export type NumberOperators = Pick<Operators, "eq" | "ne" | "in" | "nin" | "gt" | "gte" | "lt" | "lte">;
export type TextOperators = NumberOperators &
  Pick<Operators, "contains" | "startsWith" | "endsWith" | "like" | "lower">;

/** One measure of the events in the window: their `count` unless another is named. Several are put into `all`. */
export interface EventCondition
  extends EventSelector,
    Window,
    Omit<Operators, "after" | "before" | "within" | "where"> {
  count?: NumberOperators;
  /** Aggregates of the property at this path; the operators beside them judge it. `distinct` counts scalars. */
  sum?: string;
  avg?: string;
  min?: string;
  max?: string;
  distinct?: string;
  first?: string;
  last?: string;
  /** Distinct calendar days in the site's zone. */
  days?: NumberOperators;
  /** Time since the last match; operands are durations. */
  recency?: { gt?: Duration; gte?: Duration; lt?: Duration; lte?: Duration };
}

export interface UnlessCondition extends EventSelector {
  /** With `same`, only an answer with equal properties counts; a missing one equals nothing. */
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
  /** The ratio is not judged while the second count is below this, and never while it is 0. */
  min?: number;
}

export interface TimeCondition {
  time: {
    weekday?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
    /** `from <= clock < to`; a `to` that is not later goes over midnight, each side of which has its own weekday. */
    from?: string;
    to?: string;
    /** `"site"` (the default), `"visitor"` (`context.timezone`; without it the answer is unknown) or an IANA name. */
    zone?: string;
  };
}

export interface DateCondition {
  /** A date without a time is the whole day in the site's zone, and coming until it is over. */
  date: { trait: string };
  /** Its return in later years; the 29th of February is kept on the 28th. */
  anniversary?: boolean;
  /** The coming …; with a leading `-` the last. */
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
