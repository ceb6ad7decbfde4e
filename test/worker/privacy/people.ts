/** Random people each of whose values carries a canary of their own, random templates that show them, and who a text tells of. */
import type { Viewer } from "../../../edge/blocks/decide.ts";
import type { Card } from "../../../shared/card.ts";
import type { Purpose } from "../../../shared/consent.ts";
import type { JsonObject } from "../../../shared/event.ts";
import type { ManifestBlock } from "../../../shared/manifest.ts";
import type { Random } from "../../unit/shared/random.ts";

/** What a canary was put into: a trait, the context of a request, a product of the cart, a segment. */
type Kind = "t" | "c" | "p" | "s";

const CANARY = /zq([tcps][0-9a-z]{6})qz/gi;

export interface CanaryPerson {
  index: number;
  traits: JsonObject;
  context: JsonObject;
  products: JsonObject[];
}

function nameOf(index: number, kind: Kind): string {
  return kind + index.toString(36).padStart(6, "0");
}

/** A word that stands for one person, whatever its case. */
export function canaryOf(index: number, kind: Kind): string {
  return `zq${nameOf(index, kind)}qz`;
}

/** What a text tells of anybody but of these kinds of one person. */
export function findOthers(text: string, index: number, kinds: readonly Kind[] = ["t", "c", "p", "s"]): string[] {
  const own = kinds.map((kind) => nameOf(index, kind));
  return findCanaries(text).filter((name) => !own.includes(name));
}

export function findCanaries(text: string): string[] {
  return [...new Set(text.matchAll(CANARY).map(([, name]) => name!.toLowerCase()))];
}

export function buildPerson(index: number, random: Random): CanaryPerson {
  const trait = canaryOf(index, "t");
  const said = canaryOf(index, "c");
  const product = canaryOf(index, "p");
  return {
    index,
    traits: {
      plan: random.pick(["gold", "silver", "none"]),
      name: `name ${trait}`,
      ...(random.chance(0.7) && { city: `city ${trait}`, tags: [`tag ${trait}`, trait] }),
      ...(random.chance(0.5) && { address: { street: `street ${trait}`, deep: { zip: trait } } }),
      ...(random.chance(0.3) && { [said]: `key ${trait}` }),
      email: `${trait}@people.example`,
    },
    context: {
      locale: random.pick(["en", "de", "fr"]),
      page: { title: `title ${said}`, search: `?q=${said}`, url: `https://shop.example/${said}` },
      campaign: { source: said },
      [said]: said,
    },
    products: random.list(0, 3, () => ({
      product_id: `${product}-${random.below(9)}`,
      name: `product ${product}`,
      image_url: `https://img.example/${product}.png`,
      price: 1 + random.below(100),
      quantity: 1,
    })),
  };
}

/** As one is decided for; memberships tell of the person, too. */
export function viewerOf({ index, traits, products }: CanaryPerson, random: Random): Viewer {
  return {
    stableId: canaryOf(index, "t"),
    segments: { [canaryOf(index, "s")]: [0, null], ...(random.chance(0.5) && { vip: [0, null] }) },
    wakesAt: null,
    traits,
    events: products.map((properties) => ({ type: "track", event: "Product Added", timestamp: 1, properties })),
    consent: random.chance(0.8) ? undefined : random.some(["analytics", "personalization"] as const),
  };
}

/** What may be told to a person of themselves. */
export function kindsFor({ consent }: Viewer): Kind[] {
  const isAllowed = (purpose: Purpose) => consent?.includes(purpose) ?? true;
  if (!isAllowed("personalization")) return ["c"];
  return isAllowed("analytics") ? ["t", "c", "p", "s"] : ["t", "c", "s"];
}

/** By what a template shows; a name that nobody gave a value must stay empty, whoever came before. */
const PIECES = {
  shared: [
    "<p>{{ site.name }}</p>",
    "{% for i in (1..3) %}{{ i }}{% endfor %}",
    "{{ x }}{{ y }}{{ n }}{{ pair }}{{ item.name }}",
    "{% increment n %}{% increment customer %}",
    '{% cycle "a", "b" %}',
    "{% if x %}{{ x }}{% else %}nobody{% endif %}",
    "{% assign z = site.name | upcase %}{{ z }}",
    '{{ "shared" | append: "!" }}',
  ],
  trait: [
    '{{ customer.name | default: "you" }}',
    '{{ customer["city"] | default: "here" | upcase }}',
    '{% assign x = customer.name %}{{ x | default: "you" }}',
    '{% capture y %}{{ customer.city | default: "here" }}{% endcapture %}{{ y }}',
    '<a href="https://shop.example/?q={{ customer.address.street | url_encode }}">street</a>',
    "{% liquid assign x = customer.tags | join: ', '\necho x %}",
    "{% case customer.plan %}{% when 'gold' %}{{ customer.name }}{% else %}{{ customer.email }}{% endcase %}",
    '{% unless customer.city %}{{ customer.name }}{% endunless %}{{ "a" | append: customer.address.deep.zip }}',
    "{% for tag in customer.tags %}{% cycle tag, customer.name %}{% endfor %}",
    "{% tablerow tag in customer.tags cols: 2 %}{{ tag }}{% endtablerow %}",
    '{% if site.none %}{% assign x = "mine" %}{% endif %}{% assign x = x | default: customer.name %}{{ x }}',
  ],
  everything: [
    "{% for pair in customer %}{{ pair[0] }}={{ pair[1] }}{% endfor %}",
    "{{ customer }}",
    "{{ customer[context.locale] }}{{ customer[context.campaign.source] }}",
  ],
  segment: [
    "{% for pair in segment %}{{ pair[0] }} {% endfor %}",
    '{% if segment.vip %}VIP{% else %}all{% endif %}{{ segment["vip"] }}',
    "{{ segment }}",
  ],
  context: [
    '{{ context.page.title | default: "a page" }}',
    "{{ context.page }}",
    "{% assign key = context.campaign.source %}{{ context[key] }}{{ segment[key] }}",
  ],
  cart: [
    '{% for item in cart.items %}<img src="{{ item.image_url }}" alt="{{ item.name }}">{% endfor %}{{ cart.count }}',
    "{{ cart.items | map: 'name' | join }}{{ cart.total | money: 'EUR' }}",
    "{% assign item = cart.items.first %}{{ item.product_id }}{{ cart.items | push: customer | size }}",
  ],
  timed: ['{{ "now" | date: "%Y" }}', '{{ "today" | date: "%Y" }}{{ customer.name }}'],
};
const KINDS = Object.values(PIECES);

/** One kind alone, or several. */
export function buildTemplate(random: Random): string {
  const kinds = random.chance(0.5) ? [random.pick(KINDS)] : KINDS;
  return random.list(1, 4, () => random.pick(random.pick(kinds))).join("\n");
}

function buildCard(random: Random): Card {
  const texts = Object.values(PIECES)
    .flat()
    .filter((piece) => !piece.includes("<"));
  return {
    ...{ width: 300, height: 200, alt: random.pick(texts) },
    parts: [
      { type: "text", text: random.pick(texts) },
      { type: "products", items: "cart.items", currency: "EUR" },
    ],
  };
}

/** A block in a slot of its own name. */
export function buildBlock(key: string, random: Random): ManifestBlock {
  const audiences = [null, { segment: "vip" }, { trait: "plan", eq: "gold" }, { context: "locale", eq: "de" }] as const;
  const variants = random.list(1, 3, () => random.pick(audiences));
  return {
    key,
    slot: key,
    variants: variants.map((audience, index) => ({
      ...{ key: `v${index}`, audience, template: buildTemplate(random) },
      ...(random.chance(0.5) && { image: buildCard(random) }),
      link: random.pick(["https://shop.example/{{ cart.items.first.product_id }}", "https://shop.example/"]),
    })),
    fallback: random.chance(0.8) ? buildTemplate(random) : null,
    version: 1,
  };
}
