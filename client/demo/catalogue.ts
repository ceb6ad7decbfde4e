/** What Northbound sells: eighteen products in four categories. Plain data, read by the pages, the blocks and the build. */
import type { Drawing, Palette } from "./art.ts";

export const CATEGORIES = [
  { key: "shoes", name: "Shoes", line: "From the first mile to the last ridge." },
  { key: "jackets", name: "Jackets", line: "Dry in the rain, easy on the climb." },
  { key: "packs", name: "Packs", line: "Everything you need, nothing that swings." },
  { key: "camping", name: "Camping", line: "Warm hands, flat ground, a good view." },
] as const;

export type CategoryKey = (typeof CATEGORIES)[number]["key"];

export interface Product {
  id: string;
  name: string;
  category: CategoryKey;
  /** US dollars. */
  price: number;
  line: string;
  about: string;
  facts: string[];
  sizes?: string[];
  art: { drawing: Drawing; palette: Palette };
}

const SHOE_SIZES = ["39", "40", "41", "42", "43", "44", "45"];
const COAT_SIZES = ["XS", "S", "M", "L", "XL"];

export const PRODUCTS: Product[] = [
  {
    id: "ridgeline-trail",
    name: "Ridgeline Trail",
    category: "shoes",
    price: 145,
    line: "Trail runner for wet rock and loose descents",
    about:
      "A low, planted ride with 5 mm lugs that bite on the way up and let go of the mud on the way down. The upper drains in a few strides.",
    facts: ["268 g (EU 42)", "6 mm drop", "5 mm lugs", "Recycled mesh"],
    sizes: SHOE_SIZES,
    art: { drawing: "runner", palette: { main: "#d8572a", side: "#f4a259", sole: "#f3ede2", dark: "#3b2a26" } },
  },
  {
    id: "tempo-road",
    name: "Tempo Road",
    category: "shoes",
    price: 160,
    line: "Light daily trainer with a quick turnover",
    about:
      "Bouncy enough for Tuesday's intervals, calm enough for Sunday's long run. Made for asphalt and packed gravel.",
    facts: ["231 g (EU 42)", "8 mm drop", "38 mm stack", "Reflective heel"],
    sizes: SHOE_SIZES,
    art: { drawing: "runner", palette: { main: "#3f7cac", side: "#bcd8e8", sole: "#ffffff", dark: "#1d3346" } },
  },
  {
    id: "summit-gtx",
    name: "Summit Mid",
    category: "shoes",
    price: 219,
    line: "Waterproof boot for long days under load",
    about: "Full-grain leather, a stiff shank and an ankle that holds. Resole it twice and hand it down.",
    facts: ["548 g (EU 42)", "Waterproof", "Resoleable", "Leather upper"],
    sizes: SHOE_SIZES,
    art: { drawing: "boot", palette: { main: "#8a5a34", side: "#b98650", sole: "#e8dccb", dark: "#33231a" } },
  },
  {
    id: "fjord-approach",
    name: "Fjord Approach",
    category: "shoes",
    price: 129,
    line: "Sticky approach shoe for scrambles",
    about: "Climbing-zone rubber at the toe and laces that run all the way down. At home on granite, fine in the pub.",
    facts: ["342 g (EU 42)", "Climbing zone", "Suede and mesh"],
    sizes: SHOE_SIZES,
    art: { drawing: "runner", palette: { main: "#52796f", side: "#cad2a5", sole: "#efe6d5", dark: "#22332f" } },
  },
  {
    id: "drift-recovery",
    name: "Drift Slide",
    category: "shoes",
    price: 59,
    line: "Recovery slide for after the long one",
    about: "One soft piece with a deep heel cup. Your feet did enough today.",
    facts: ["164 g (EU 42)", "One-piece foam", "Rinses clean"],
    sizes: SHOE_SIZES,
    art: { drawing: "slide", palette: { main: "#6d6875", side: "#b5838d", sole: "#e5c1bd", dark: "#2f2b36" } },
  },
  {
    id: "squall-shell",
    name: "Squall Shell",
    category: "jackets",
    price: 289,
    line: "Three-layer shell for sideways rain",
    about:
      "A hood that turns with your head, pockets above a hip belt, and a fabric that keeps its breath when the weather does not.",
    facts: ["392 g (M)", "20k / 20k", "Helmet hood", "PFC-free"],
    sizes: COAT_SIZES,
    art: { drawing: "shell", palette: { main: "#e0a526", side: "#f2cc6b", sole: "#fff3d0", dark: "#3d3216" } },
  },
  {
    id: "ember-down",
    name: "Ember Down",
    category: "jackets",
    price: 329,
    line: "800-fill down for cold camps",
    about: "Traceable down in a fabric that weighs less than a letter. Packs into its own chest pocket.",
    facts: ["348 g (M)", "800-fill down", "Packs to 1.6 L"],
    sizes: COAT_SIZES,
    art: { drawing: "puffer", palette: { main: "#b23a48", side: "#d4626f", sole: "#f6d5d0", dark: "#3c161c" } },
  },
  {
    id: "zephyr-wind",
    name: "Zephyr Wind",
    category: "jackets",
    price: 119,
    line: "Wind jacket that disappears into a fist",
    about:
      "For ridgelines, early starts and the bike home. You will forget that it is in the pocket until you need it.",
    facts: ["96 g (M)", "Windproof", "Packs to a fist"],
    sizes: COAT_SIZES,
    art: { drawing: "shell", palette: { main: "#3a8f8a", side: "#7cc4bd", sole: "#dff3ef", dark: "#123b39" } },
  },
  {
    id: "loft-vest",
    name: "Loft Vest",
    category: "jackets",
    price: 149,
    line: "Insulated vest for moving in the cold",
    about: "Warm where it matters, free where you swing. Synthetic fill that still works when it is damp.",
    facts: ["224 g (M)", "Recycled fill", "Two-way zip"],
    sizes: COAT_SIZES,
    art: { drawing: "vest", palette: { main: "#40513b", side: "#758a63", sole: "#dfe5cd", dark: "#1c2519" } },
  },
  {
    id: "traverse-45",
    name: "Traverse 45",
    category: "packs",
    price: 239,
    line: "Trekking pack for three nights out",
    about:
      "A frame that moves the weight to your hips and a back panel that lets the air through. Opens like a suitcase.",
    facts: ["1.38 kg", "45 + 8 L", "Rain cover", "Three back lengths"],
    art: { drawing: "trek", palette: { main: "#2f5d50", side: "#5b8a72", sole: "#e9b44c", dark: "#14281f" } },
  },
  {
    id: "daybreak-22",
    name: "Daybreak 22",
    category: "packs",
    price: 109,
    line: "Day pack for the hill and the train",
    about: "Big enough for a layer, lunch and a rope. Quiet enough for the office.",
    facts: ["640 g", "22 L", "Laptop sleeve"],
    art: { drawing: "daypack", palette: { main: "#34609a", side: "#6f9bd1", sole: "#f2c14e", dark: "#17273f" } },
  },
  {
    id: "pace-vest-8",
    name: "Pace Vest 8",
    category: "packs",
    price: 139,
    line: "Running vest, two soft flasks included",
    about: "Sits like a shirt, drinks like an aid station. Poles fold away without taking it off.",
    facts: ["198 g", "8 L", "2 × 500 ml flasks"],
    art: { drawing: "runvest", palette: { main: "#2b2d42", side: "#8d99ae", sole: "#ef8354", dark: "#161725" } },
  },
  {
    id: "basin-duffel",
    name: "Basin Duffel",
    category: "packs",
    price: 169,
    line: "Waterproof duffel for boats and baggage belts",
    about: "Welded seams, a zip that does not leak, and straps that turn it into a pack. Throw it anywhere.",
    facts: ["1.1 kg", "60 L", "IPX6"],
    art: { drawing: "duffel", palette: { main: "#c8553d", side: "#f28f3b", sole: "#ffd5a8", dark: "#3a1a14" } },
  },
  {
    id: "lark-tent",
    name: "Lark 2 Tent",
    category: "camping",
    price: 449,
    line: "Two-person tent that stands in a storm",
    about: "Two doors, two porches, eight minutes. Poles meet high, so you can both sit up and watch it rain.",
    facts: ["1.62 kg", "2 people", "3 seasons", "2 doors"],
    art: { drawing: "tent", palette: { main: "#e9a23b", side: "#c97b1f", sole: "#fbe3b4", dark: "#4a2f0d" } },
  },
  {
    id: "hollow-bag",
    name: "Hollow −5 Bag",
    category: "camping",
    price: 259,
    line: "Down sleeping bag, comfort −5 °C",
    about: "A roomy foot, a hood that closes to your nose, and a zip that does not catch at three in the morning.",
    facts: ["890 g", "Comfort −5 °C", "Traceable down"],
    art: { drawing: "bag", palette: { main: "#3d5a80", side: "#98c1d9", sole: "#ee6c4d", dark: "#1b2a3f" } },
  },
  {
    id: "kettle-stove",
    name: "Pilot Stove",
    category: "camping",
    price: 79,
    line: "Half a litre at the boil in two minutes",
    about: "Folds to the size of a matchbox and simmers as well as it roars. Coffee first.",
    facts: ["84 g", "2.9 kW", "Piezo lighter"],
    art: { drawing: "stove", palette: { main: "#8d99ae", side: "#d9dee6", sole: "#ef8354", dark: "#2b2d42" } },
  },
  {
    id: "moth-lantern",
    name: "Moth Lantern",
    category: "camping",
    price: 49,
    line: "Warm light for forty hours",
    about: "Hang it, stand it, dim it. The colour of a candle, without the candle.",
    facts: ["140 g", "300 lm", "USB-C"],
    art: { drawing: "lantern", palette: { main: "#3a4f41", side: "#7d9480", sole: "#ffd56b", dark: "#1a251e" } },
  },
  {
    id: "spring-bottle",
    name: "Spring Bottle 0.75",
    category: "camping",
    price: 35,
    line: "Steel bottle, cold for a day",
    about: "Powder-coated steel and a lid that you can open with gloves on. Dents are memories.",
    facts: ["320 g", "0.75 L", "24 h cold, 12 h hot"],
    art: { drawing: "bottle", palette: { main: "#577590", side: "#8fb0c9", sole: "#f4efe6", dark: "#22313d" } },
  },
];

export function findProduct(id: string): Product | undefined {
  return PRODUCTS.find((product) => product.id === id);
}

export function listCategory(category: string): Product[] {
  return PRODUCTS.filter((product) => product.category === category);
}

export function nameCategory(key: string): string {
  return CATEGORIES.find((category) => category.key === key)?.name ?? "Everything";
}

/** Every word of the query somewhere in the product's texts. */
export function searchProducts(query: string): Product[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return PRODUCTS.filter((product) => {
    const text = `${product.name} ${product.category} ${product.line} ${product.about} ${product.facts.join(" ")}`;
    return words.every((word) => text.toLowerCase().includes(word));
  });
}
