/**
 * GA4's `dataLayer`, as a site feeds it for gtag.js or Google Tag Manager: its e-commerce events by Segment's names.
 * https://developers.google.com/analytics/devguides/collection/ga4/reference/events
 */
import type { JsonObject } from "../../shared/event.ts";
import { hearLayer } from "./layer.ts";
import { pageAttune, type Target } from "./target.ts";

/** GA4's name → Segment's. `each`: an event a product; otherwise the event has a list of them, if any. */
const EVENTS: { [event: string]: [name: string, each?: "each"] } = {
  view_item: ["Product Viewed", "each"],
  select_item: ["Product Clicked", "each"],
  add_to_cart: ["Product Added", "each"],
  remove_from_cart: ["Product Removed", "each"],
  add_to_wishlist: ["Product Added to Wishlist", "each"],
  view_item_list: ["Product List Viewed"],
  view_cart: ["Cart Viewed"],
  begin_checkout: ["Checkout Started"],
  add_shipping_info: ["Checkout Step Completed"],
  add_payment_info: ["Payment Info Entered"],
  purchase: ["Order Completed"],
  refund: ["Order Refunded"],
  view_promotion: ["Promotion Viewed"],
  select_promotion: ["Promotion Clicked"],
  search: ["Products Searched"],
  view_search_results: ["Products Searched"],
  sign_up: ["Signed Up"],
  login: ["Signed In"],
};

const NAMES: { [parameter: string]: string } = {
  transaction_id: "order_id",
  item_list_id: "list_id",
  item_list_name: "category",
  shipping_tier: "shipping_method",
  payment_type: "payment_method",
  search_term: "query",
  promotion_name: "name",
  creative_name: "creative",
  creative_slot: "position",
};
const ITEM_NAMES: { [parameter: string]: string } = {
  item_id: "product_id",
  item_name: "name",
  item_brand: "brand",
  item_category: "category",
  item_variant: "variant",
  item_list_id: "list_id",
  item_list_name: "list",
  index: "position",
};
/** Segment's numbers; many sites write them as text. */
const NUMBERS = /^(price|quantity|discount|value|tax|shipping|position|total|revenue)$/;
/** What sites write beside `ecommerce`, too; whatever else stands there is the tag manager's own affair. */
const BESIDE =
  /^(items|currency|value|coupon|tax|shipping|affiliation|method|(transaction|promotion|item_list)_id|(item_list|promotion|creative)_name|creative_slot|shipping_tier|payment_type|search_term)$/;
/** Not about the event: who it goes to and how, who it is of, what the tag manager adds. */
const SETTING = /^(event|ecommerce|items|send_to|groups|non_interaction|user_.*|userId|event_?(callback|timeout))$|\./i;

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null;

function rename(from: JsonObject, names: typeof NAMES): JsonObject {
  const to: JsonObject = {};
  for (const [parameter, value] of Object.entries(from)) {
    if (SETTING.test(parameter) || value == null) continue;
    const name = Object.hasOwn(names, parameter) ? names[parameter]! : parameter;
    to[name] = NUMBERS.test(name) && value !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
  }
  return to;
}

/** What is no number is left as it is, or counts for nothing. */
const add = (value: unknown, ...others: unknown[]): unknown => {
  if (typeof value !== "number") return value;
  const amounts = others.filter((amount) => typeof amount === "number");
  // Without the noise of binary fractions.
  return Number(amounts.reduce((total, amount) => total + amount, value).toFixed(3));
};

/** @returns one event, or one a product; none where Segment has no name for it and it is not among `others`. */
export function toTracks(
  event: unknown,
  parameters: JsonObject,
  others: readonly string[] = [],
): [event: string, properties: JsonObject][] {
  if (typeof event !== "string") return [];
  const [name, each] = Object.hasOwn(EVENTS, event) ? EVENTS[event]! : [others.includes(event) && event];
  if (!name) return [];
  const properties = rename(parameters, NAMES);
  const { items } = parameters;
  if (!Array.isArray(items)) return [[name, properties]];
  const products = items.filter(isObject).map((item) => rename(item, ITEM_NAMES));
  if (each) {
    const { value, ...shared } = properties;
    // The value is that of all of them.
    return products.map((product) => [name, { ...shared, ...(products.length === 1 && { value }), ...product }]);
  }
  const { value, shipping, tax } = properties;
  // GA4's figure is without shipping and tax, as Segment's revenue.
  const totals = /^Order/.test(name) && value !== undefined && { total: add(value, shipping, tax), revenue: value };
  return [[name, { ...properties, ...totals, products }]];
}

/**
 * Feeds Attune with what the layer holds and with whatever is pushed from now on; what else reads the layer notices
 * nothing.
 * @param options `layer`: its global name. `events`: names of further events to take as they are.
 */
export function connectDataLayer(
  attune: Target = pageAttune,
  { layer = "dataLayer", events = [] }: { layer?: string; events?: readonly string[] } = {},
): void {
  const page = globalThis as unknown as { [name: string]: unknown[] & { attune?: true } };
  page[layer] ??= [];
  const entries = page[layer];
  if (entries.attune) return;
  // Seen by nobody who goes through the entries.
  Object.defineProperty(entries, "attune", { value: true });

  let user: unknown;
  /** `ecommerce` that was pushed before its event. */
  let remembered: JsonObject = {};

  const identify = (id: unknown, traits: unknown) => {
    const known = id == null || id === user;
    if (known && !isObject(traits)) return;
    user = id ?? user;
    attune.push(["identify", known ? undefined : id, traits]);
  };
  const track = (event: unknown, parameters: JsonObject) => {
    for (const [name, properties] of toTracks(event, parameters, events)) attune.push(["track", name, properties]);
  };

  const read = (entry: unknown) => {
    if (!isObject(entry)) return;
    if (Object.prototype.toString.call(entry) === "[object Arguments]") {
      // gtag(command, name, parameters), gtag("set", parameters)
      const [command, name, last] = entry as unknown as [unknown, unknown, unknown];
      const parameters = isObject(name) ? name : isObject(last) ? last : {};
      if (command === "set" && name === "user_properties") identify(undefined, parameters);
      else if (command === "set" && name === "user_id") identify(last, undefined);
      else if (/^(config|set|event)$/.test(String(command))) {
        identify(parameters["user_id"], parameters["user_properties"]);
        if (command === "event") track(name, parameters);
      }
    } else {
      const { event, ecommerce, user_id, userId, user_properties } = entry;
      identify(user_id ?? userId, user_properties);
      const commerce = isObject(ecommerce) ? ecommerce : {};
      if (event === undefined) remembered = ecommerce === undefined ? remembered : commerce;
      else if (!Object.hasOwn(EVENTS, String(event))) track(event, entry);
      else {
        const beside = Object.entries(entry).filter(([parameter]) => BESIDE.test(parameter));
        track(event, { ...Object.fromEntries(beside), ...remembered, ...commerce });
        remembered = {};
      }
    }
  };
  hearLayer(entries, read);
}
