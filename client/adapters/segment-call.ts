/** A call of Segment's `analytics`, whose arguments may be left out in the middle, as ours. */
import type { JsonObject } from "../../shared/event.ts";
import type { Target } from "./target.ts";

/** Those of its methods that say something of the visitor. */
export const METHODS = ["track", "page", "identify", "group", "alias", "reset"] as const;
export type Method = (typeof METHODS)[number];

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null;
const isId = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number";

/** Options hold the context, and callers of old put its fields beside it. */
const contextOf = (options: unknown) => (isObject(options) ? (options["context"] ?? options) : undefined);

/** Feeds one call. `page()` that says nothing of its own is left out: the script sees pages by itself. */
export function feed(attune: Target, method: Method, args: readonly unknown[]): void {
  // Callbacks, and the page that the snippet notes with each call.
  const said = args.filter((arg) => typeof arg !== "function" && !(isObject(arg) && arg["__t"] === "bpc"));
  const objects = said.filter(isObject);
  if (method === "track") {
    const [event, properties, options] = said;
    if (isObject(event)) attune.push([method, event["event"], event["properties"], contextOf(event)]);
    else attune.push([method, event, properties, contextOf(options)]);
  } else if (method === "page") {
    const [first, second] = said.filter((arg) => typeof arg === "string");
    const [properties, options] = objects;
    const name = second ?? first;
    const category = second === undefined ? undefined : first;
    if (name !== undefined || (properties && Object.keys(properties).length > 0)) {
      attune.push([method, name, { ...(category !== undefined && { category }), ...properties }, contextOf(options)]);
    }
  } else if (method === "alias") {
    const [to, from] = said;
    attune.push([method, to, isId(from) ? from : undefined, contextOf(objects[0])]);
  } else if (method === "reset") attune.push([method]);
  else {
    const [traits, options] = objects;
    attune.push([method, isId(said[0]) ? said[0] : undefined, traits, contextOf(options)]);
  }
}
