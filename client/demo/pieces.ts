/** What stands in the pages from the start, before and without Attune: `<!--name-->` in the HTML, filled by the build. */
import { CATEGORIES } from "./catalogue.ts";
import { banner, categoryTiles, categoryUrl, hero, note, strip } from "./markup.ts";

const links = CATEGORIES.map(({ key, name }) => `<a href="${categoryUrl(key)}">${name}</a>`);

export const PIECES: { [name: string]: string } = {
  nav: links.join(""),
  "footer-nav": links.join("<br>"),
  tiles: categoryTiles(),
  hero: hero({
    scene: "default",
    kicker: "Autumn, outside",
    title: "A little further<br>than you planned.",
    text: "Shoes, shells, packs and tents for people who come home after dark and call it a good day.",
    action: { label: "Shop shoes", href: categoryUrl("shoes") },
    more: { label: "Everything", href: "category" },
  }),
  picks: strip("Popular this week", { label: "Everything", href: "category" }, [
    "ridgeline-trail",
    "squall-shell",
    "daybreak-22",
    "lark-tent",
  ]),
  note: note("Try it outside", "Free returns within 100 days, even after a run."),
  banner: banner("Free shipping over $100", "and returns within 100 days."),
};
