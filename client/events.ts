/**
 * The events of Segment's e-commerce spec, version 2, with their properties. A site adds its own, or more properties, by
 * intersection: `EcommerceEvents & { "Letter Ordered": { topic: string }; "Product Viewed": { colour: string } }`.
 */

export interface Product {
  product_id?: string;
  sku?: string;
  category?: string;
  name?: string;
  brand?: string;
  variant?: string;
  /** Of one piece, in `currency`. */
  price?: number;
  quantity?: number;
  coupon?: string;
  currency?: string;
  /** In the list where it was shown, from 1. */
  position?: number;
  /** What the event is worth. */
  value?: number;
  url?: string;
  image_url?: string;
}

interface Products {
  products?: Product[];
}

interface Totals extends Products {
  checkout_id?: string;
  affiliation?: string;
  /** Without shipping, tax and discount; `total`: with them. */
  subtotal?: number;
  total?: number;
  /** Without shipping and tax. */
  revenue?: number;
  value?: number;
  shipping?: number;
  tax?: number;
  discount?: number;
  coupon?: string;
  /** ISO 4217. */
  currency?: string;
}

interface Order extends Totals {
  order_id: string;
}

interface List extends Products {
  list_id?: string;
  category?: string;
}

interface Promotion {
  promotion_id?: string;
  creative?: string;
  name?: string;
  position?: string;
}

interface Step {
  checkout_id?: string;
  step?: number;
  shipping_method?: string;
  payment_method?: string;
}

interface Coupon {
  order_id?: string;
  cart_id?: string;
  coupon_id?: string;
  coupon_name?: string;
  discount?: number;
}

interface Wish extends Product {
  wishlist_id?: string;
  wishlist_name?: string;
}

interface Share {
  share_via?: string;
  share_message?: string;
  recipient?: string;
}

type InCart = Product & { cart_id?: string };
type Choice = { type: string; value: string };

export interface EcommerceEvents {
  "Products Searched": { query: string };
  "Product List Viewed": List;
  "Product List Filtered": List & { filters?: Choice[]; sorts?: Choice[] };
  "Promotion Viewed": Promotion;
  "Promotion Clicked": Promotion;
  "Product Clicked": Product;
  "Product Viewed": Product;
  "Product Added": InCart;
  "Product Removed": InCart;
  "Cart Viewed": Products & { cart_id?: string };
  "Checkout Started": Totals & { order_id?: string };
  "Checkout Step Viewed": Step;
  "Checkout Step Completed": Step;
  "Payment Info Entered": Step & { order_id?: string };
  "Order Completed": Order;
  "Order Updated": Order;
  "Order Refunded": Order;
  "Order Cancelled": Order;
  "Coupon Entered": Coupon;
  "Coupon Applied": Coupon;
  "Coupon Denied": Coupon & { reason?: string };
  "Coupon Removed": Coupon;
  "Product Added to Wishlist": Wish;
  "Product Removed from Wishlist": Wish;
  "Wishlist Product Added to Cart": Wish & { cart_id?: string };
  "Product Shared": Product & Share;
  "Cart Shared": Products & Share & { cart_id?: string };
  "Product Reviewed": { product_id?: string; review_id?: string; review_body?: string; rating?: number };
}
