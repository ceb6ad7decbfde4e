/** JSON Pointers (RFC 6901). */

/** One step of a pointer. */
export function escapePointer(key: PropertyKey): string {
  return String(key).replaceAll("~", "~0").replaceAll("/", "~1");
}
