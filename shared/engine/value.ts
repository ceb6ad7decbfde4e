/** Values from outside and how the language reads them: paths, scalars, ISO dates, durations. Total, own properties only, no coercion. */

/** The value at a dotted path; undefined where any step is not an own property of an object. */
export function readPath(root: unknown, keys: readonly string[]): unknown {
  let value = root;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as { [key: string]: unknown })[key];
  }
  return value;
}

/** What equality is defined for. */
export function isScalar(value: unknown): boolean {
  return value !== undefined && Object(value) !== value;
}

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * Epoch milliseconds of an ISO 8601 date or date-time; NaN for anything else, an impossible day included. Without an offset it is
 * UTC: `Date.parse` alone would take the machine's zone.
 */
export function instantOf(value: unknown): number {
  const parts = typeof value === "string" && ISO.exec(value);
  if (!parts) return NaN;
  const day = value.slice(0, 10);
  // Some engines roll the 30th of February over into March.
  if (!new Date(day).toJSON()?.startsWith(day)) return NaN;
  return Math.floor(Date.parse(parts[1] && !parts[4] ? `${value}Z` : value));
}

const UNITS: { [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds of `"90s" "15m" "48h" "30d" "12w"`; negative with a leading `-`; NaN for anything else. */
export function durationMs(duration: unknown): number {
  const parts = typeof duration === "string" && /^(-?\d+)([smhdw])$/.exec(duration);
  return parts ? +parts[1]! * UNITS[parts[2]!]! : NaN;
}

/** The length of a window: without one it reaches back to the beginning. */
export function lengthOf(duration: unknown): number {
  return duration === undefined ? Infinity : durationMs(duration);
}
