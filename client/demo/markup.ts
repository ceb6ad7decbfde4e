/** Pieces of HTML that the pages, the build and the blocks share. Strings in, strings out. */
import { CATEGORIES, findProduct, type Product } from "./catalogue.ts";

export const ART = "/demo/art";

export const productUrl = (id: string) => `product?id=${id}`;
export const categoryUrl = (key: string) => `category?c=${key}`;

export function formatPrice(dollars: number): string {
  return `$${dollars.toLocaleString("en-US", { minimumFractionDigits: dollars % 1 ? 2 : 0, maximumFractionDigits: 2 })}`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export function productCard(product: Product): string {
  const { id, name, line, price } = product;
  return `<a class="card" href="${productUrl(id)}"><span class="card-art"><img src="${ART}/${id}.svg" alt="" width="400" height="400"></span><span class="card-row"><span class="card-name">${name}</span><span class="card-price">${formatPrice(price)}</span></span><span class="card-line">${line}</span></a>`;
}

/** Cards in the order of the ids; unknown ids are left out. */
export function productCards(ids: string[]): string {
  const products = ids.map(findProduct).filter((product) => product !== undefined);
  return `<div class="cards">${products.map(productCard).join("")}</div>`;
}

export function categoryTiles(): string {
  const pictures = { shoes: "ridgeline-trail", jackets: "squall-shell", packs: "traverse-45", camping: "lark-tent" };
  return CATEGORIES.map(
    ({ key, name, line }) =>
      `<a class="tile tile-${key}" href="${categoryUrl(key)}"><span class="tile-text"><span class="tile-name">${name}</span><span class="tile-line">${line}</span></span><img src="${ART}/${pictures[key]}.svg" alt="" width="400" height="400"></a>`,
  ).join("");
}

export interface Hero {
  /** One of art.ts's landscapes. */
  scene: string;
  kicker: string;
  title: string;
  text: string;
  action: { label: string; href: string };
  more?: { label: string; href: string };
  product?: string;
}

export function hero({ scene, kicker, title, text, action, more, product }: Hero): string {
  const shown = product ? findProduct(product) : undefined;
  const card = shown
    ? `<a class="hero-product" href="${productUrl(shown.id)}"><img src="${ART}/${shown.id}.svg" alt="" width="400" height="400"><span class="hero-product-name">${shown.name}</span><span class="hero-product-price">${formatPrice(shown.price)}</span></a>`
    : "";
  const second = more ? `<a class="button button-quiet" href="${more.href}">${more.label}</a>` : "";
  return `<section class="hero hero-${scene}"><img class="hero-scene" src="${ART}/scene-${scene}.svg" alt="" width="1440" height="640"><div class="hero-inner"><div class="hero-text"><p class="kicker">${kicker}</p><h1>${title}</h1><p class="hero-line">${text}</p><p class="hero-actions"><a class="button" href="${action.href}">${action.label}</a>${second}</p></div>${card}</div></section>`;
}

export function strip(title: string, more: { label: string; href: string }, ids: string[]): string {
  return `<section class="strip"><div class="strip-head"><h2>${title}</h2><a class="more" href="${more.href}">${more.label}</a></div>${productCards(ids)}</section>`;
}

export function note(title: string, text: string, tone = "plain"): string {
  return `<aside class="note note-${tone}"><strong>${title}</strong><span>${text}</span></aside>`;
}

export function banner(title: string, text: string, tone = "plain"): string {
  return `<div class="banner banner-${tone}"><strong>${title}</strong><span>${text}</span></div>`;
}
