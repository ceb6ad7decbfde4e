/**
 * What is in somebody's cart, as the shop's own events tell it (Segment's e-commerce spec, v2): `{{ cart.items }}` and its sums.
 * A cart that is shown or checked out is what it says it is, whatever was heard before; an order empties it.
 */
import type { EventUse } from "../../shared/engine/events-of.ts";
import type { HistoryEvent, JsonObject } from "../../shared/event.ts";
import type { ManifestBlock } from "../../shared/manifest.ts";
import { isObject } from "../ingest/parse.ts";

/** Different products that one may hold: what was added last stays. */
const ITEMS = 100;
const FIELDS = [
  "product_id",
  "sku",
  "variant",
  "name",
  "brand",
  "category",
  "price",
  "quantity",
  "image_url",
  "url",
  "currency",
];
const ONE = { type: "track", paths: FIELDS, inside: [] };
const WHOLE = { type: "track", paths: ["products", "currency"], inside: FIELDS };

/** What a history has to keep for it. */
export const CART_EVENTS: readonly EventUse[] = [
  { ...ONE, event: "Product Added" },
  { ...ONE, event: "Product Removed" },
  { ...WHOLE, event: "Cart Viewed" },
  { ...WHOLE, event: "Checkout Started" },
  { type: "track", event: "Order Completed", paths: [], inside: [] },
];

export interface CartItem {
  product_id?: unknown;
  quantity: number;
  /** Of one, in units of the currency; null where nobody said. */
  price: number | null;
  [field: string]: unknown;
}

export interface Cart {
  /** In the order in which they were first added. */
  items: CartItem[];
  /** Sum of quantities. */
  count: number;
  /** Sum of the prices that were said × quantities. */
  total: number;
  /** Of the item that was heard of last; null where nobody said. */
  currency: string | null;
}

/** Whether some template of the block may look at it: a word in it is enough. */
export function showsCart({ variants, fallback }: ManifestBlock): boolean {
  return [fallback, ...variants.flatMap(({ template, link, image }) => [template, link, JSON.stringify(image)])].some(
    (text) => text?.includes("cart"),
  );
}

/** @param events ascending, as `readHistory` gives them */
export function readCart(events: readonly HistoryEvent[]): Cart {
  let items = new Map<string, CartItem>();
  let currency: string | null = null;
  for (const { type, event, properties } of events) {
    if (type !== "track") continue;
    switch (event) {
      case "Product Added":
        add(items, properties);
        break;
      case "Product Removed":
        remove(items, properties);
        break;
      case "Cart Viewed":
      case "Checkout Started": {
        const { products } = properties;
        if (!Array.isArray(products)) continue;
        items = new Map();
        for (const product of products) if (isObject(product)) add(items, product);
        break;
      }
      case "Order Completed":
        items = new Map();
        break;
      default:
        continue;
    }
    if (typeof properties["currency"] === "string") currency = properties["currency"];
  }
  const list = [...items.values()];
  return {
    items: list,
    count: list.reduce((sum, { quantity }) => sum + quantity, 0),
    total: list.reduce((sum, { price, quantity }) => sum + (price ?? 0) * quantity, 0),
    currency: list.length ? currency : null,
  };
}

function add(items: Map<string, CartItem>, product: JsonObject): void {
  const name = nameOf(product);
  if (name === undefined) return;
  const before = items.get(name);
  const quantity = (before?.quantity ?? 0) + (readNumber(product["quantity"]) ?? 1);
  const price = readNumber(product["price"]) ?? before?.price ?? null;
  if (quantity > 0) items.set(name, { ...before, ...product, quantity, price });
  if (items.size > ITEMS) items.delete(items.keys().next().value!);
}

/** Without a quantity, all of it. */
function remove(items: Map<string, CartItem>, product: JsonObject): void {
  const name = nameOf(product);
  const item = name === undefined ? undefined : items.get(name);
  if (!item) return;
  const quantity = item.quantity - (readNumber(product["quantity"]) ?? item.quantity);
  if (quantity > 0) items.set(name!, { ...item, quantity });
  else items.delete(name!);
}

/** What makes two of them the same product. */
function nameOf({ product_id, sku, name, variant }: JsonObject): string | undefined {
  const id = product_id ?? sku ?? name;
  return id === undefined || id === null ? undefined : JSON.stringify([id, variant ?? null]);
}

function readNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
