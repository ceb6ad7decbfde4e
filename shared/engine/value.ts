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
  return value === null || ["string", "number", "boolean"].includes(typeof value);
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

/** Milliseconds of `"90s" "15m" "48h" "30d" "12w"`, negative with a leading `-`; endless where there is none, NaN for anything else. */
export function durationMs(duration: unknown): number {
  if (duration === undefined) return Infinity;
  const [, count, unit] = /^(-?\d+)([smhdw])$/.exec(`${duration}`) ?? [];
  return +count! * { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }[unit as "s"]!;
}
