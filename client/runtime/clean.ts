/** Makes plain JSON of whatever a page hands over; what it is given can neither harm the page nor grow without bound. */
import type { JsonObject } from "../../shared/event.ts";
import { EVENT_BYTES, PROPERTIES_DEPTH } from "../../shared/limits.ts";

/** JSON of plain data, whatever the page taught its arrays: `toJSON` of old versions of Prototype.js makes them text. */
export const stringify = (data: unknown): string =>
  JSON.stringify(data, function (this: JsonObject, key) {
    return this[key];
  });

/**
 * A copy that is plain JSON. Left out: functions, symbols, DOM nodes, views of memory, cycles, getters that throw,
 * `__proto__`, what lies deeper than the limit. A BigInt becomes a string, a date its ISO form, NaN and infinities null.
 * @throws where it has more properties and elements than an event has bytes; whatever an object throws that cannot even be
 * looked at.
 */
export function cleanObject(input: unknown): JsonObject {
  let room = EVENT_BYTES;

  const copy = (value: unknown, above: unknown[]): unknown => {
    if (typeof value === "bigint") return `${value}`;
    if (typeof value !== "object" || !value) return value;
    if (above.length > PROPERTIES_DEPTH || above.includes(value) || value instanceof Node || ArrayBuffer.isView(value))
      return;
    const inside = [...above, value];
    const isList = Array.isArray(value);
    const { toJSON } = value as { toJSON?: unknown };
    if (!isList && typeof toJSON === "function") return copy(toJSON.call(value), inside);
    const names = isList ? value : Object.keys(value);
    room -= names.length;
    if (room < 0) return;
    const children = (isList ? [] : {}) as JsonObject;
    for (const key of isList ? value.keys() : names) {
      try {
        if (key !== "__proto__") children[key] = copy((value as JsonObject)[key], inside);
      } catch {
        // A getter that throws has no value.
      }
    }
    return children;
  };

  const plain = typeof input === "object" ? JSON.parse(stringify({ ...(copy(input, []) as object) })) : {};
  if (room < 0) throw "too large";
  return plain;
}

export const countBytes = (value: unknown): number => new TextEncoder().encode(stringify(value)).length;
