/** `attune/adapters`: what feeds Attune besides its own calls. */
export { connectDataLayer, toTracks } from "./ga4.ts";
export { connectSegment, replaceSegment, type SegmentAnalytics } from "./segment.ts";
export { type CustomerPrivacy, connectShopify, type ShopifyOptions } from "./shopify.ts";
export type { ShopifyEvent } from "./shopify-event.ts";
export type { Target } from "./target.ts";
