/** What `npm start` puts into the demo site through the developer API: six segments and five blocks. Plain data. */
import type { Condition } from "../../shared/condition.ts";
import { CATEGORIES, type CategoryKey } from "./catalogue.ts";
import { banner, categoryUrl, type Hero, hero, note, productUrl, strip } from "./markup.ts";

export const SITE = {
  name: "Northbound",
  writeKey: "pk_demo",
  secretKey: "sk_demo",
  timeZone: "UTC",
  consentDefault: "full",
  origins: ["*"],
} as const;

export interface SeedSegment {
  key: string;
  name: string;
  kind: "dynamic";
  condition: Condition;
  visibility: "public" | "private";
  status: "active";
}

export interface SeedBlock {
  key: string;
  slot: string;
  variants: { key: string; audience: Condition | null; template: string }[];
}

function interest(category: CategoryKey, name: string): SeedSegment {
  return {
    key: `interested-${category}`,
    name: `Interested in ${name}`,
    kind: "dynamic",
    condition: {
      event: "Product Viewed",
      where: { category: { eq: category } },
      within: "24h",
      count: { gte: 2 },
    },
    visibility: "public",
    status: "active",
  };
}

export const SEGMENTS: SeedSegment[] = [
  ...CATEGORIES.map(({ key, name }) => interest(key, name.toLowerCase())),
  {
    key: "cart-abandoner",
    name: "Cart abandoner",
    kind: "dynamic",
    condition: {
      event: "Product Added",
      unless: { event: "Order Completed", same: ["cart_id"] },
      after: "1m",
      within: "7d",
    },
    visibility: "public",
    status: "active",
  },
  {
    key: "high-value",
    name: "High value",
    kind: "dynamic",
    condition: { event: "Order Completed", sum: "revenue", gte: 500, within: "365d" },
    visibility: "public",
    status: "active",
  },
];

const HEROES: { [category in CategoryKey]: Hero } = {
  shoes: {
    scene: "shoes",
    kicker: "For the way you run",
    title: "Two more miles.<br>Better rubber.",
    text: "You have been looking at shoes. Start with the one that our testers would not give back.",
    action: { label: "Shop all shoes", href: categoryUrl("shoes") },
    product: "ridgeline-trail",
  },
  jackets: {
    scene: "jackets",
    kicker: "Rain from the west",
    title: "Let the<br>weather come.",
    text: "Shells, down and wind layers that fold small and forgive a bad forecast.",
    action: { label: "Shop all jackets", href: categoryUrl("jackets") },
    product: "squall-shell",
  },
  packs: {
    scene: "packs",
    kicker: "Pack by pack",
    title: "Carry it like<br>it weighs less.",
    text: "From eight litres that sit like a shirt to forty-five that move to your hips.",
    action: { label: "Shop all packs", href: categoryUrl("packs") },
    product: "traverse-45",
  },
  camping: {
    scene: "camping",
    kicker: "One night out",
    title: "Flat ground,<br>warm light.",
    text: "A tent that stands, a bag that closes, coffee at sunrise. That is the whole list.",
    action: { label: "Shop camping", href: categoryUrl("camping") },
    product: "lark-tent",
  },
};

const PICKS: { [category in CategoryKey]: { title: string; ids: string[] } } = {
  shoes: {
    title: "More ground under your feet",
    ids: ["tempo-road", "ridgeline-trail", "fjord-approach", "pace-vest-8"],
  },
  jackets: { title: "Layers that go together", ids: ["squall-shell", "ember-down", "loft-vest", "zephyr-wind"] },
  packs: { title: "For everything you carry", ids: ["traverse-45", "daybreak-22", "basin-duffel", "spring-bottle"] },
  camping: { title: "The rest of the camp", ids: ["lark-tent", "hollow-bag", "kettle-stove", "moth-lantern"] },
};

const NOTES: { [category in CategoryKey]: [string, string] } = {
  shoes: [
    "Between two sizes?",
    "Take both. The pair that does not fit goes back free, within 100 days, even after a run.",
  ],
  jackets: ["Layering today?", "Our shells are cut to fit over the Ember Down. Take your usual size in both."],
  packs: ["Right back length?", "Measure from the neck's big bone to the hip: under 45 cm is S, over 50 cm is L."],
  camping: ["Camping this month?", "Order before noon and it leaves today. Tents come seam-taped and ready to pitch."],
};

const CATEGORY_KEYS = CATEGORIES.map(({ key }) => key);

function perInterest(template: (category: CategoryKey) => string): SeedBlock["variants"] {
  return CATEGORY_KEYS.map((category) => ({
    key: category,
    audience: { segment: `interested-${category}` },
    template: template(category),
  }));
}

/** No block has a fallback of its own: what the page holds inside `<attune-block>` stays. */
export const BLOCKS: SeedBlock[] = [
  {
    key: "hero",
    slot: "hero",
    variants: [
      {
        key: "high-value",
        audience: { segment: "high-value" },
        template: hero({
          scene: "gold",
          kicker: "Summit Club",
          title: 'Good to see you,<br>{{ customer.firstName | default: "friend" }}.',
          text: "Express delivery is on us this year, and the winter line opens to you a week early.",
          action: { label: "See the early line", href: categoryUrl("jackets") },
          product: "ember-down",
        }),
      },
      ...perInterest((category) => hero(HEROES[category])),
    ],
  },
  {
    key: "picks",
    slot: "picks",
    variants: perInterest((category) =>
      strip(PICKS[category].title, { label: `All ${category}`, href: categoryUrl(category) }, PICKS[category].ids),
    ),
  },
  {
    key: "product-note",
    slot: "product-note",
    variants: perInterest((category) => note(...NOTES[category], "warm")),
  },
  {
    key: "cart-banner",
    slot: "cart-banner",
    variants: [
      {
        key: "abandoner",
        audience: { segment: "cart-abandoner" },
        template: banner(
          "Still thinking it over?",
          "We kept your cart, and shipping is on us if you order today.",
          "warm",
        ),
      },
      {
        key: "high-value",
        audience: { segment: "high-value" },
        template: banner("Summit Club", "Express delivery is on us, as always.", "gold"),
      },
    ],
  },
  {
    key: "thanks",
    slot: "thanks",
    variants: [
      {
        key: "high-value",
        audience: { segment: "high-value" },
        template: note(
          "Welcome to the Summit Club",
          `Free express delivery for a year, and first look at the winter line. <a href="${productUrl("ember-down")}">See what is coming</a>`,
          "gold",
        ),
      },
    ],
  },
];
