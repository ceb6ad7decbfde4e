/** Makes plain JSON of whatever a page hands over; what it is given can neither harm the page nor grow without bound. */
import type { JsonObject } from "../../shared/event.ts";
import { EVENT_BYTES, PROPERTIES_DEPTH } from "../../shared/limits.ts";

/**
 * A copy that is plain JSON. Left out: functions, symbols, DOM nodes, cycles, getters that throw, `__proto__`, what
 * lies deeper than the limit. A BigInt becomes a string, a date its ISO form, NaN and infinities null.
 * @throws whatever an object throws that cannot even be looked at.
 */
export function cleanObject(input: unknown): JsonObject {
  // No event has room for more objects than bytes: a proxy that invents children without end is cut there.
  let left = EVENT_BYTES;

  const copy = (value: unknown, above: unknown[]): unknown => {
    if (typeof value === "bigint") return `${value}`;
    if (typeof value !== "object" || !value) return value;
    if (--left < 0 || above.length > PROPERTIES_DEPTH || above.includes(value) || value instanceof Node) return;
    const inside = [...above, value];
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return copy(toJSON.call(value), inside);
    const children: JsonObject | unknown[] = Array.isArray(value) ? [] : {};
    for (const key of Object.keys(value)) {
      try {
        const child = copy((value as JsonObject)[key], inside);
        // An array closes its holes: one of 2³² of them would hold up the page.
        if (Array.isArray(children)) children.push(child);
        else if (key !== "__proto__") children[key] = child;
      } catch {
        // A getter that throws has no value.
      }
    }
    return children;
  };

  return typeof input === "object" ? JSON.parse(JSON.stringify({ ...(copy(input, []) as object) })) : {};
}

export const countBytes = (value: unknown): number => new Blob([JSON.stringify(value)]).size;
