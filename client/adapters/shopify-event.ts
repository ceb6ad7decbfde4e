/**
 * Shopify's standard customer events by Segment's names. https://shopify.dev/docs/api/web-pixels-api/standard-events
 */
import type { JsonObject } from "../../shared/event.ts";

interface Money {
  amount?: number;
  currencyCode?: string | null;
}
interface Variant {
  sku?: string | null;
  title?: string | null;
  image?: { src?: string | null } | null;
  price?: Money | null;
  product?: { id?: string; title?: string; vendor?: string; type?: string | null; url?: string | null } | null;
}
interface CartLine {
  merchandise?: Variant | null;
  quantity?: number;
}
interface Checkout {
  token?: string | null;
  order?: { id?: string | null; customer?: { id?: string | null } | null } | null;
  email?: string | null;
  phone?: string | null;
  currencyCode?: string | null;
  discountApplications?: { title?: string | null }[];
  discountsAmount?: Money | null;
  lineItems?: { quantity?: number; variant?: Variant | null }[];
  shippingLine?: { price?: Money | null; title?: string } | null;
  subtotalPrice?: Money | null;
  totalPrice?: Money | null;
  totalTax?: Money | null;
}

export interface ShopifyEvent {
  id: string;
  name: string;
  clientId: string | null;
  timestamp: string;
  context: {
    document: { location: { href: string; pathname: string; search: string }; referrer: string; title: string };
    navigator: { language: string; userAgent: string };
  };
  data?: {
    productVariant?: Variant;
    cartLine?: CartLine | null;
    cart?: { id?: string | null; lines?: CartLine[]; cost?: { totalAmount?: Money } } | null;
    collection?: { id?: string; title?: string; productVariants?: Variant[] };
    searchResult?: { query?: string; productVariants?: Variant[] };
    checkout?: Checkout;
  };
}

/** What is null or empty there is absent here. */
const present = (properties: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(properties).filter(([, value]) => value != null && value !== ""));

const toProduct = (variant?: Variant | null, quantity?: number): JsonObject =>
  present({
    product_id: variant?.product?.id,
    sku: variant?.sku,
    name: variant?.product?.title,
    brand: variant?.product?.vendor,
    category: variant?.product?.type,
    variant: variant?.title,
    price: variant?.price?.amount,
    currency: variant?.price?.currencyCode,
    url: variant?.product?.url,
    image_url: variant?.image?.src,
    quantity,
  });

const toProducts = (variants: Variant[] = []): JsonObject[] => variants.map((variant) => toProduct(variant));

function toOrder(checkout: Checkout = {}): JsonObject {
  const { order, shippingLine, totalPrice, currencyCode } = checkout;
  return present({
    checkout_id: checkout.token,
    order_id: order?.id,
    subtotal: checkout.subtotalPrice?.amount,
    revenue: checkout.subtotalPrice?.amount,
    total: totalPrice?.amount,
    shipping: shippingLine?.price?.amount,
    shipping_method: shippingLine?.title,
    tax: checkout.totalTax?.amount,
    discount: checkout.discountsAmount?.amount,
    coupon: checkout.discountApplications?.[0]?.title,
    currency: currencyCode ?? totalPrice?.currencyCode,
    products: checkout.lineItems?.map(({ variant, quantity }) => toProduct(variant, quantity)),
  });
}

/** Undefined: none of Segment's. A page view has no name. */
export function toEvent({ name, data = {} }: ShopifyEvent): [event: string, properties: JsonObject] | undefined {
  const { productVariant, cartLine, cart, collection, searchResult, checkout } = data;
  switch (name) {
    case "product_viewed":
      return ["Product Viewed", toProduct(productVariant)];
    case "product_added_to_cart":
      return ["Product Added", toProduct(cartLine?.merchandise, cartLine?.quantity)];
    case "product_removed_from_cart":
      return ["Product Removed", toProduct(cartLine?.merchandise, cartLine?.quantity)];
    case "cart_viewed": {
      const { amount, currencyCode } = cart?.cost?.totalAmount ?? {};
      const products = cart?.lines?.map(({ merchandise, quantity }) => toProduct(merchandise, quantity));
      return ["Cart Viewed", present({ cart_id: cart?.id, value: amount, currency: currencyCode, products })];
    }
    case "collection_viewed": {
      const { id, title, productVariants } = collection ?? {};
      return ["Product List Viewed", present({ list_id: id, category: title, products: toProducts(productVariants) })];
    }
    case "search_submitted":
      return [
        "Products Searched",
        present({ query: searchResult?.query, products: toProducts(searchResult?.productVariants) }),
      ];
    case "checkout_started":
      return ["Checkout Started", toOrder(checkout)];
    case "checkout_shipping_info_submitted":
      return ["Checkout Step Completed", toOrder(checkout)];
    case "payment_info_submitted":
      return ["Payment Info Entered", toOrder(checkout)];
    case "checkout_completed":
      return ["Order Completed", toOrder(checkout)];
    default:
      return undefined;
  }
}
