/**
 * `attune/client`: the script as a module, for sites that bundle. Importing it does nothing, on a server too.
 *
 * @example
 * export const attune = createAttune<EcommerceEvents>({ key: "pk_…", host: "https://edge.example.com" });
 * attune.track("Product Viewed", { product_id: "42" });
 */
import { inert } from "./inert.ts";
import type { AnyEvents, Attune, Load } from "./runtime/api.ts";
import { createAttune as create, page } from "./runtime/create.ts";
import type { Options } from "./runtime/options.ts";

export type { Consent, ConsentMode } from "../shared/consent.ts";
export type { Message } from "../shared/event.ts";
export type { EcommerceEvents, Product } from "./events.ts";
export type { AnyEvents, Attune } from "./runtime/api.ts";
export type { Details, Memberships } from "./runtime/emitter.ts";
export type { Options } from "./runtime/options.ts";
export type { Content } from "./runtime/slots.ts";

/**
 * The page's Attune: the one that is there, a script tag's included, or a new one, which is `window.attune` from then on.
 * Calls that a stub kept are answered. On a server, or where it cannot run, one whose calls do nothing; the console says
 * why: no key, a `host` that is no address, or another site's Attune in this page.
 * @typeParam Events names of events → their properties; left out, any.
 * @param options `host` defaults to the page's own.
 */
export function createAttune<Events extends { [Event in keyof Events]: object } = AnyEvents>(
  options: Options,
): Attune<Events> {
  return start(options) as Attune<Events>;
}

function start(options: Options): Attune {
  if (typeof document === "undefined") return inert;
  try {
    const { key, host = location.href } = options;
    if (!key) throw "key is missing";
    const present = page.attune as Attune | undefined;
    if (present?.version) {
      if (present.key === key) return present;
      throw `the page has another site's, ${present.key}`;
    }
    const load = {
      rules: () => import("./runtime/rules.ts"),
      watch: () => import("./runtime/watch.ts"),
      debug: () => import("./debug/debug.ts"),
    };
    return create({ ...options, host }, ((part) => load[part]()) as Load);
  } catch (error) {
    console.error(`createAttune: ${error}`);
    return inert;
  }
}
