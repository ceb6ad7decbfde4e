/** The shop's pages: fills them from the catalogue and tells Attune what happens, by Segment's e-commerce names. */
import { addLine, clearCart, listLines, readCart, removeLine, setQuantity, sumCart } from "./cart.ts";
import { CATEGORIES, findProduct, listCategory, nameCategory, type Product, searchProducts } from "./catalogue.ts";
import { ART, categoryUrl, escapeHtml, formatPrice, productCards, productUrl } from "./markup.ts";
import { openPanel } from "./panel.ts";
import { identify, on, segments, track } from "./window.ts";

const RECEIPT = "northbound.receipt";
const query = new URLSearchParams(location.search);

function find<T extends HTMLElement = HTMLElement>(name: string): T {
  const element = document.querySelector<T>(`[data-${name}]`);
  if (!element) throw new Error(`the page has no [data-${name}]`);
  return element;
}

function propertiesOf({ id, name, category, price }: Product) {
  return { product_id: id, name, category, price };
}

const countItems = () => String(sumCart(readCart()).items);

function showCount(): void {
  find("cart-count").textContent = countItems();
}

/** One script serves all pages; each function is one of them. */
const PAGES: { [name: string]: () => void } = {
  category() {
    const key = query.get("c") ?? "";
    const category = CATEGORIES.find((other) => other.key === key);
    const products = category ? listCategory(key) : [...CATEGORIES].flatMap((other) => listCategory(other.key));
    const title = category?.name ?? "Everything";
    document.title = `${title} – Northbound`;
    find("title").textContent = title;
    find("line").textContent = category?.line ?? "All that we sell, on one page.";
    find("products").outerHTML = productCards(products.map(({ id }) => id)).replace("cards", "cards cards-wide");
    document.querySelector(`.nav [href="${categoryUrl(key)}"]`)?.setAttribute("aria-current", "page");
    track("Product List Viewed", {
      list_id: key || "all",
      category: key || "all",
      products: products.map(propertiesOf),
    });
  },

  product() {
    const product = findProduct(query.get("id") ?? "");
    if (!product) {
      find("name").textContent = "We do not sell that (any more)";
      find("add").hidden = true;
      document.querySelector(".strip")?.remove();
      return;
    }
    const { id, name, category, price, line, about, facts, sizes } = product;
    document.title = `${name} – Northbound`;
    find<HTMLImageElement>("art").src = `${ART}/${id}.svg`;
    const link = find<HTMLAnchorElement>("category");
    link.href = categoryUrl(category);
    link.textContent = nameCategory(category);
    find("name").textContent = name;
    find("line").textContent = line;
    find("price").textContent = formatPrice(price);
    find("about").textContent = about;
    find("facts").innerHTML = facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join("");
    const middle = sizes ? sizes[Math.floor(sizes.length / 2)] : undefined;
    if (sizes) {
      find("sizes").innerHTML += sizes
        .map(
          (size) =>
            `<label><input type="radio" name="size" value="${size}"${size === middle ? " checked" : ""}><span>${size}</span></label>`,
        )
        .join("");
    } else find("sizes").remove();
    const others = listCategory(category).filter((other) => other.id !== id);
    find("related").outerHTML = productCards(others.slice(0, 4).map((other) => other.id));
    document.querySelector(`.nav [href="${categoryUrl(category)}"]`)?.setAttribute("aria-current", "page");
    track("Product Viewed", { ...propertiesOf(product), url: location.href });

    find<HTMLFormElement>("add").addEventListener("submit", (event) => {
      event.preventDefault();
      const size = new FormData(event.target as HTMLFormElement).get("size");
      const { cartId } = addLine(id, typeof size === "string" ? size : undefined);
      track("Product Added", {
        ...propertiesOf(product),
        cart_id: cartId,
        quantity: 1,
        ...(size ? { variant: size } : {}),
      });
      showCount();
      find("added").innerHTML = `In your cart. <a href="cart">Go to the cart</a>`;
    });
  },

  search() {
    const text = (query.get("q") ?? "").trim();
    const products = searchProducts(text);
    (document.getElementById("q") as HTMLInputElement).value = text;
    find("title").textContent = text ? `“${text}”` : "Search";
    find("line").textContent = text
      ? `${products.length || "No"} ${products.length === 1 ? "product" : "products"}`
      : "Try “waterproof”, “down” or “running”.";
    find("products").outerHTML = productCards(products.map(({ id }) => id)).replace("cards", "cards cards-wide");
    if (text) track("Products Searched", { query: text, results: products.length });
  },

  cart() {
    const render = () => {
      const cart = readCart();
      const lines = listLines(cart);
      find("lines").innerHTML = lines.length
        ? lines.map(renderLine).join("")
        : `<li class="empty">Nothing in it yet. <a href="./">Look around</a></li>`;
      find("summary").innerHTML =
        renderTotals() + (lines.length ? `<a class="button button-wide" href="checkout">Check out</a>` : "");
      showCount();
    };
    render();
    on("segments", render);
    find("lines").addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest<HTMLElement>("[data-remove]") : null;
      if (!button) return;
      const { cartId } = readCart();
      const line = removeLine(Number(button.dataset["remove"]));
      const product = line && findProduct(line.id);
      if (product) {
        track("Product Removed", { ...propertiesOf(product), cart_id: cartId, quantity: line.quantity });
      }
      render();
    });
    find("lines").addEventListener("change", ({ target }) => {
      if (!(target instanceof HTMLSelectElement)) return;
      setQuantity(Number(target.dataset["quantity"]), Number(target.value));
      render();
    });
    const cart = readCart();
    track("Cart Viewed", { cart_id: cart.cartId, products: productsOf() });
  },

  checkout() {
    const cart = readCart();
    const render = () => {
      find("summary").innerHTML = renderTotals();
    };
    render();
    on("ready", render);
    on("segments", render);
    if (cart.lines.length === 0) location.replace("cart");
    track("Checkout Started", { cart_id: cart.cartId, value: sumCart(cart).products, products: productsOf() });
    find<HTMLFormElement>("checkout").addEventListener("submit", (event) => {
      event.preventDefault();
      const form = new FormData(event.target as HTMLFormElement);
      const field = (name: string) => String(form.get(name) ?? "").trim();
      const email = field("email").toLowerCase();
      const firstName = field("firstName");
      identify(email, { email, firstName, lastName: field("lastName") });
      const totals = sumCart(cart, isShippingFree());
      const orderId = `NB-${Math.floor(100_000 + Math.random() * 900_000)}`;
      track("Order Completed", {
        order_id: orderId,
        cart_id: cart.cartId,
        revenue: totals.products,
        shipping: totals.shipping,
        total: totals.total,
        currency: "USD",
        products: productsOf(),
      });
      sessionStorage.setItem(RECEIPT, JSON.stringify({ orderId, firstName, lines: cart.lines }));
      clearCart();
      location.assign("thanks");
    });
  },

  thanks() {
    const receipt = JSON.parse(sessionStorage.getItem(RECEIPT) ?? "null");
    if (!receipt) return;
    find("order").textContent = receipt.orderId;
    find("who").textContent = receipt.firstName ? `, ${receipt.firstName}` : "";
    find("lines").innerHTML = listLines({ cartId: "", lines: receipt.lines })
      .map(
        ({ product, quantity, size }) =>
          `<li class="line"><img src="${ART}/${product.id}.svg" alt="" width="88" height="88"><div><strong>${product.name}</strong><small>${size ? `Size ${escapeHtml(size)} · ` : ""}${quantity} ×</small></div><span>${formatPrice(product.price * quantity)}</span></li>`,
      )
      .join("");
  },
};

function productsOf() {
  return listLines(readCart()).map(({ product, quantity }) => ({ ...propertiesOf(product), quantity }));
}

function renderLine({ product, quantity, size, index }: ReturnType<typeof listLines>[number]): string {
  const amounts = Array.from({ length: 9 }, (_, i) => i + 1)
    .map((amount) => `<option${amount === quantity ? " selected" : ""}>${amount}</option>`)
    .join("");
  return `<li class="line"><img src="${ART}/${product.id}.svg" alt="" width="88" height="88"><div><a href="${productUrl(product.id)}">${product.name}</a><small>${size ? `Size ${escapeHtml(size)}` : nameCategory(product.category)}</small><label class="hidden" for="n${index}">Quantity of ${product.name}</label><select id="n${index}" data-quantity="${index}">${amounts}</select> <button class="link" type="button" data-remove="${index}">Remove<span class="hidden"> ${product.name}</span></button></div><span>${formatPrice(product.price * quantity)}</span></li>`;
}

/** What the banner promises to those who left their cart; a segment is as good in code as in a block. */
function isShippingFree(): boolean {
  return Object.hasOwn(segments(), "cart-abandoner");
}

function renderTotals(): string {
  const { products, shipping, total } = sumCart(readCart(), isShippingFree());
  return `<dl><dt>Products</dt><dd>${formatPrice(products)}</dd><dt>Shipping</dt><dd>${shipping ? formatPrice(shipping) : "free"}</dd><dt class="total">Total</dt><dd class="total">${formatPrice(total)}</dd></dl>`;
}

showCount();
// A page that comes back as it was left may show a cart of then.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted && find("cart-count").textContent !== countItems()) location.reload();
});
openPanel(); // before anything is tracked: it listens
PAGES[
  location.pathname
    .replace(/\.html$/, "")
    .split("/")
    .at(-1) ?? ""
]?.();
