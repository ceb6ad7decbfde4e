/** What a slot gets, and why: the record that a page, an email and a report agree on. */

/** The closed list of reasons; every decision has exactly one. */
export const REASONS = [
  "targeted",
  "experiment",
  "holdout",
  "fallback",
  "no-consent",
  "no-block",
  "error",
  "simulated",
] as const;
export type Reason = (typeof REASONS)[number];

export interface Decision {
  id: string;
  slot: string;
  /** Null where the slot has no published block. */
  block: string | null;
  /** Null where the page's own fallback stays. */
  variant: string | null;
  reason: Reason;
  /** Epoch milliseconds; null = never. In HTTP it travels as ISO 8601. */
  until: number | null;
}
