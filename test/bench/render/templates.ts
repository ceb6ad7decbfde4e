/** Templates of the weights that blocks have, people to render them for, and the same HTML as a hand would write it in TypeScript. */

export interface Product {
  sku: string;
  name: string;
  url: string;
  image_url: string;
  price: number;
  sale_price?: number;
}

/** What a template of these looks at. */
export interface RenderScope {
  customer: { first_name: string; orders: number; plan: string; picks: Product[] };
  segment: { [key: string]: boolean };
  context: { page: { path: string; title: string } };
}

export interface RenderTemplate {
  source: string;
  /** A template literal that escapes values as we do, and checks no URL. */
  literal(scope: RenderScope): string;
  /** The same, but every URL is checked; left out where there is none. */
  checked?(scope: RenderScope): string;
}

export const PEOPLE = 32;

export const buildPerson = (number: number): RenderScope => ({
  customer: {
    first_name: `Ann <${number}>`,
    orders: number % 2,
    plan: "pro",
    picks: Array.from({ length: 4 }, (_, index) => ({
      sku: `sku-${number + index}`,
      name: `Trail Runner "X${number + index}"`,
      url: `https://shop.example/p/trail-runner-${number + index}`,
      image_url: `https://cdn.example/i/${number + index}.webp`,
      price: 129 + index,
      ...(index % 2 === 1 && { sale_price: 99.5 + number }),
    })),
  },
  segment: { pro: true },
  context: { page: { path: `/p/${number}`, title: `Boots & more ${number}` } },
});

const CARDS = Array.from(
  { length: 9 },
  (_, index) => `    <li class="card"><a class="card-link" href="/p/shoe-${index}?src=hero">
      <img loading="lazy" width="320" height="320" src="/i/shoe-${index}.webp" alt="">
      <span class="card-name">Running shoe ${index}</span><b class="price">€ ${80 + index}.00</b>
    </a></li>`,
).join("\n");

/** ~2 kB around one line. */
const hero = (line: string) => `<section class="hero hero--wide" aria-labelledby="hero-title">
  <h2 id="hero-title">${line}</h2>
  <p>New colours of the season, made of what was left of the last one. Free returns within 60 days, wherever you are.</p>
  <ul class="hero-list" role="list">
${CARDS}
  </ul>
  <a class="hero-all" href="/c/shoes">See all</a>
</section>`;

const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });
const ENTITIES: { [char: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
const checkUrl = (url: string) => (/^(?:https?:|\/)/i.test(url) ? escapeHtml(url) : "#");

const grid = ({ customer }: RenderScope, toUrl: (url: string) => string) => `<section class="picks" id="picks">
  <h2>${customer.orders > 0 ? `Welcome back, ${escapeHtml(customer.first_name || "friend")}!` : "New here? Take 10 % off your first order"}</h2>
  <ul class="picks-list" role="list">${customer.picks
    .slice(0, 4)
    .map(
      (product, index) => `
    <li class="card" data-sku="${escapeHtml(product.sku)}" data-position="${index + 1}">
      <a class="card-link" href="${toUrl(product.url)}?src=picks">
        <img loading="lazy" width="320" height="320" src="${toUrl(product.image_url)}?w=320" alt="${escapeHtml(product.name)}">
        <h3 class="card-name">${escapeHtml(product.name)}</h3>
        ${product.sale_price ? `<b class="price price--sale">${money.format(product.sale_price)}</b> <s class="price">${money.format(product.price)}</s>` : `<b class="price">${money.format(product.price)}</b>`}
      </a>
      <button type="button" class="card-add" data-add="${escapeHtml(product.sku)}">Add to cart</button>
    </li>`,
    )
    .join("")}
  </ul>
</section>`;

const GRID = `<section class="picks" id="picks">
  <h2>{% if customer.orders > 0 %}Welcome back, {{ customer.first_name | default: "friend" }}!{% else %}New here? Take 10 % off your first order{% endif %}</h2>
  <ul class="picks-list" role="list">{% for product in customer.picks limit: 4 %}
    <li class="card" data-sku="{{ product.sku }}" data-position="{{ forloop.index }}">
      <a class="card-link" href="{{ product.url }}?src=picks">
        <img loading="lazy" width="320" height="320" src="{{ product.image_url }}?w=320" alt="{{ product.name }}">
        <h3 class="card-name">{{ product.name }}</h3>
        {% if product.sale_price %}<b class="price price--sale">{{ product.sale_price | money: "EUR" }}</b> <s class="price">{{ product.price | money: "EUR" }}</s>{% else %}<b class="price">{{ product.price | money: "EUR" }}</b>{% endif %}
      </a>
      <button type="button" class="card-add" data-add="{{ product.sku }}">Add to cart</button>
    </li>{% endfor %}
  </ul>
</section>`;

export const TEMPLATES = {
  shared: { source: hero("New in"), literal: () => hero("New in") },
  context: {
    source: hero('{% if segment.pro %}For you as a pro, on {{ context.page.title | default: "this page" }}{% endif %}'),
    literal: ({ segment, context }) =>
      hero(segment["pro"] ? `For you as a pro, on ${escapeHtml(context.page.title || "this page")}` : ""),
  },
  trait: {
    source: hero('Good to see you, {{ customer.first_name | default: "friend" }}'),
    literal: ({ customer }) => hero(`Good to see you, ${escapeHtml(customer.first_name || "friend")}`),
  },
  grid: {
    source: GRID,
    literal: (scope) => grid(scope, escapeHtml),
    checked: (scope) => grid(scope, checkUrl),
  },
} satisfies { [name: string]: RenderTemplate };

export type TemplateName = keyof typeof TEMPLATES;

/** What is said of them where they are measured. */
export const TITLES: { [Name in TemplateName]: string } = {
  shared: "the same for everybody",
  context: "of segments and the page",
  trait: "one trait",
  grid: "four products of a trait",
};
