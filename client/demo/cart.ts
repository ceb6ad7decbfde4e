/** The cart, kept in localStorage. Knows prices and lines, nothing of pages or of Attune. */
import { findProduct, type Product } from "./catalogue.ts";

const KEY = "northbound.cart";
const SHIPPING = 9;
const FREE_SHIPPING_FROM = 100;

export interface Line {
  id: string;
  size?: string;
  quantity: number;
}

export interface Cart {
  /** New for each order: what ties an order to the products that were added for it. */
  cartId: string;
  lines: Line[];
}

export interface Totals {
  items: number;
  products: number;
  shipping: number;
  total: number;
}

export function readCart(): Cart {
  try {
    const cart = JSON.parse(localStorage.getItem(KEY) ?? "") as Cart;
    if (typeof cart.cartId === "string" && Array.isArray(cart.lines)) return cart;
  } catch {
    // none yet, or not ours
  }
  return { cartId: `cart_${crypto.randomUUID().slice(0, 8)}`, lines: [] };
}

export function writeCart(cart: Cart): void {
  localStorage.setItem(KEY, JSON.stringify(cart));
}

export function addLine(id: string, size: string | undefined): Cart {
  const cart = readCart();
  const line = cart.lines.find((other) => other.id === id && other.size === size);
  if (line) line.quantity += 1;
  else cart.lines.push({ id, quantity: 1, ...(size ? { size } : {}) });
  writeCart(cart);
  return cart;
}

/** @returns the line that is gone. */
export function removeLine(index: number): Line | undefined {
  const cart = readCart();
  const [line] = cart.lines.splice(index, 1);
  writeCart(cart);
  return line;
}

export function setQuantity(index: number, quantity: number): void {
  const cart = readCart();
  const line = cart.lines[index];
  if (line) line.quantity = Math.max(1, Math.min(9, quantity));
  writeCart(cart);
}

/** Empties it; the next product starts a cart with another id. */
export function clearCart(): void {
  localStorage.removeItem(KEY);
}

/** Lines whose product is still sold, each with it. */
export function listLines(cart: Cart): (Line & { product: Product; index: number })[] {
  return cart.lines.flatMap((line, index) => {
    const product = findProduct(line.id);
    return product ? [{ ...line, product, index }] : [];
  });
}

export function sumCart(cart: Cart, freeShipping = false): Totals {
  const lines = listLines(cart);
  const items = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const products = lines.reduce((sum, { quantity, product }) => sum + quantity * product.price, 0);
  const shipping = freeShipping || items === 0 || products >= FREE_SHIPPING_FROM ? 0 : SHIPPING;
  return { items, products, shipping, total: products + shipping };
}
