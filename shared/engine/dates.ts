/** ISO 8601 dates and date-times, as the edge reads them. */

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
  // Of many digits V8 overlooks leading zeros.
  const written = value.replace(/(\.\d{3})\d+/, "$1");
  return Date.parse(parts[1] && !parts[4] ? `${written}Z` : written);
}
