/**
 * Makes plain JSON of whatever a page hands over, or has taught its own; what it is given can neither harm the page nor
 * grow without bound.
 */
import type { JsonObject } from "../../shared/event.ts";
import { PROPERTIES_DEPTH } from "../../shared/limits.ts";

/** JSON of plain data, whatever the page taught its arrays: `toJSON` of old versions of Prototype.js makes them text. */
export const stringify = (data: unknown): string =>
  JSON.stringify(data, function (this: JsonObject, key) {
    return this[key];
  });

export const countBytes = (value: unknown): number => new TextEncoder().encode(stringify(value)).length;

/**
 * A copy that JSON can be made of. Left out: DOM nodes, maps, views of memory and whatever else is no plain data, cycles,
 * getters that throw, what lies deeper than the limit. A BigInt becomes a string, a date its ISO form.
 * @param budget has `room` for so many properties and elements.
 * @param above the objects that it is in. Where there is none, what is no object is left out.
 * @throws where there is no more room; whatever an object throws that cannot even be looked at.
 */
export function clean(value: unknown, budget: { room: number }, above: object[] = []): unknown {
  if (Object(value) !== value) return typeof value === "bigint" ? `${value}` : above[0] && value;
  const object = value as JsonObject & { toJSON?(): unknown };
  if (above[PROPERTIES_DEPTH] || above.includes(object)) return;
  const inside = [...above, object];
  const isList = Array.isArray(object);
  if (!isList && object.toJSON) return clean(object.toJSON(), budget, inside);
  if (!/ (Object|Array)]/.test({}.toString.call(object))) return;
  const children = (isList ? [] : {}) as JsonObject;
  for (const key of isList ? object.keys() : Object.keys(object)) {
    try {
      if (--budget.room < 0) throw "too large";
      children[key] = clean(object[key], budget, inside);
    } catch (error) {
      // A getter that throws has no value.
      if (budget.room < 0) throw error;
    }
  }
  return children;
}
