/** Segment's `analytics` object: what a site tells it, Attune hears too; or Attune stands in its place. */
import type { Attune } from "../runtime/api.ts";
import { feed, METHODS, type Method } from "./segment-call.ts";
import { pageAttune, type Target } from "./target.ts";

type Calls = { [method: string]: (...args: unknown[]) => unknown };
/** Segment's object, of any version: loaded, about to be, or the queue of its snippet. */
export type SegmentAnalytics = object;
type Plugin = { load(context: unknown, instance: object): Promise<void>; [field: string]: unknown };

const page = globalThis as unknown as { analytics?: SegmentAnalytics; attune?: Partial<Attune> };

/** From now on each call goes to Attune first, then where it went before; of an adapter that is there twice, once. */
function wrap(attune: Target, instance: object): void {
  if (Object.hasOwn(instance, "attune")) return;
  Object.defineProperty(instance, "attune", { value: true });
  const calls = instance as Calls;
  for (const method of METHODS) {
    const original = calls[method];
    if (!original) continue;
    calls[method] = function (this: unknown, ...args) {
      attempt(attune, method, args);
      return original.apply(this, args);
    };
  }
}

function attempt(attune: Target, method: Method, args: unknown[]): void {
  try {
    feed(attune, method, args);
  } catch {
    // A call that cannot be read is none of ours; Segment's goes on.
  }
}

/**
 * Feeds Attune with the calls of `track page identify group alias reset`, those that wait for Segment to load included, in
 * their order: it stands before Segment's snippet, for what Segment has taken before it came is gone. Where Segment never
 * loads, none come.
 * @param analytics what `AnalyticsBrowser.load()` gave, or by default the page's `analytics`, its snippet's queue too.
 */
export function connectSegment(attune: Target = pageAttune, analytics?: SegmentAnalytics): void {
  const segment = analytics ?? page.analytics ?? [];
  if (!analytics) page.analytics = segment;
  const plugin: Plugin = {
    name: "Attune",
    version: "1.0.0",
    // Awaited before the calls that wait are answered.
    type: "before",
    isLoaded: () => true,
    load: async (_, instance) => wrap(attune, instance),
  };
  // Older snippets have no such method, but Segment knows it by name.
  if (Array.isArray(segment)) segment.push(["register", plugin]);
  else Promise.resolve((segment as Calls)["register"]!(plugin)).catch(() => {});
}

/** What else sites call. Of what Attune has nothing to do with, only that it is there. */
const IGNORED = [
  "addSourceMiddleware",
  "addDestinationMiddleware",
  "addIntegrationMiddleware",
  "debug",
  "deregister",
  "load",
];

/**
 * Puts Attune in the place of Segment: `window.analytics` has its methods, with its arguments, callbacks and promises;
 * the calls that its snippet kept are answered. Without `analytics.load`, its snippet stays as it is.
 */
export function replaceSegment(attune: Target = pageAttune): void {
  const waiting = page.analytics;
  const analytics: Calls = {};
  const method = (name: string, run: (...args: unknown[]) => unknown) => {
    analytics[name] = run;
  };
  const listen = (event: "click" | "submit") => (elements: unknown, name: unknown, properties: unknown) => {
    const all = elements instanceof Element ? [elements] : Array.from((elements ?? []) as Iterable<Element>);
    for (const element of all) {
      const of = (value: unknown) => (typeof value === "function" ? value(element) : value);
      element.addEventListener(event, () => attempt(attune, "track", [of(name), of(properties)]));
    }
    return analytics;
  };

  for (const name of METHODS) {
    method(name, async (...args) => {
      attempt(attune, name, args);
      for (const arg of args) if (typeof arg === "function") arg();
    });
  }
  for (const name of IGNORED) method(name, () => analytics);
  for (const name of ["on", "once", "off"]) method(name, () => analytics);
  for (const name of ["trackLink", "trackClick"]) method(name, listen("click"));
  for (const name of ["trackForm", "trackSubmit"]) method(name, listen("submit"));
  method("pageview", () => analytics["page"]!());
  method("screen", async () => {});
  method("setAnonymousId", () => analytics);
  method("register", async () => {});
  method("ready", async (listener) => {
    if (typeof listener === "function") listener();
  });
  method("user", () => ({
    id: () => page.attune?.userId?.() ?? null,
    anonymousId: () => page.attune?.anonymousId?.() ?? null,
    traits: () => ({}),
  }));

  page.analytics = Object.assign(analytics, { initialized: true });
  if (!Array.isArray(waiting)) return;
  for (const [name, ...args] of waiting) if (Object.hasOwn(analytics, name)) analytics[name]!(...args);
}
