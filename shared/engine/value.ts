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
  // biome-ignore lint/suspicious/noSelfCompare: NaN alone is not equal to itself, and this is the shortest way to say so.
  return value === null || (["string", "number", "boolean"].includes(typeof value) && value === value);
}

/** Texts that are equal where all of the values are, one by one; undefined where one of them is equal to nothing: missing or structured. */
export const keyOf = (values: readonly unknown[]): string | undefined =>
  values.every(isScalar) ? JSON.stringify(values.map((value) => [typeof value, `${value}`])) : undefined;

/** Milliseconds of `"90s" "15m" "48h" "30d" "12w"`, negative with a leading `-`; endless where there is none, NaN where the unit is another. What is saved is checked before. */
export function durationMs(duration: unknown): number {
  if (duration === undefined) return Infinity;
  const text = `${duration}`;
  return parseInt(text, 10) * { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }[text.at(-1) as "s"]!;
}
