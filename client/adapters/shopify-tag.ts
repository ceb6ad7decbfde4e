/** `attune.shopify.js`, to be pasted into a custom pixel, which then calls `attuneShopify({…})`. */
import { connectShopify } from "./shopify.ts";

Object.assign(globalThis, { attuneShopify: connectShopify });
