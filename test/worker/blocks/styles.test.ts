/** What values say inside styles: their property, and nothing that loads or ends it. */
import { describe, expect, it } from "vitest";
import { checkTemplate, render } from "../../../edge/blocks/liquid.ts";

function show(source: string, x: unknown): string {
  const checked = checkTemplate(source);
  if ("errors" in checked) throw new Error(JSON.stringify(checked.errors));
  return render(checked.template, { customer: { x } }, { now: 0, timeZone: "UTC" }).html!;
}

/** As liquidjs renders it, too. */
const INTERPRETED = "{% tablerow a in customer.none %}{% endtablerow %}";
const WRITTEN = [
  `<p style="color: {{ customer.x }}">`,
  `<p style="color: {{ customer.x | escape }}">`,
  `<p style="color: {{ customer.x | escape_once }}">`,
  `<p style="color: {% echo customer.x %}">`,
  `<p style="color: {% cycle customer.x, 'red' %}">`,
  `<p style="color: {% liquid assign y = customer.x\necho y %}">`,
  `<p style="color: {% if customer.x %}{{ customer.x }}{% endif %}">`,
  `{% capture y %}{{ customer.x }}{% endcapture %}<p style="color: {{ y }}">`,
  `<path fill="{{ customer.x }}">`,
];

describe.each(WRITTEN.flatMap((source) => [source, source + INTERPRETED]))("in %s a value", (source) => {
  const written = (x: unknown) => /(?:color: |fill=")(.*?)">/.exec(show(source, x))?.[1];

  it.each([
    "red",
    "#1a2b3c",
    "12.5px",
    "-3",
    "50% 20%",
    "Open Sans, serif",
    "rgb(1, 2, 3)",
    "HSLA(10 20% 30% / 50%)",
    "größe",
  ])("%s is written", (x) => expect(written(x)).toBe(x));

  it.each([
    ...[
      "url(x)",
      "red;position:fixed",
      "image-set('a' 1x)",
      "\\75rl(x)",
      "xrgb(url(a))",
      "rgb(url(a))",
      "a:b",
      "'a'",
      '"',
      "/*",
      "}",
    ],
    ...["&#117;rl(x)", "&lpar;", "red&#59;a", "<b>", "@import", "\0"],
  ])("%s is left out", (x) => expect(written(x)).toBe(""));
});

describe.each(["url({{ customer.x }})", "url('{{ customer.x }}')", "URL( /i/{{ customer.x | escape }}"])(
  "in the author's %s",
  (place) => {
    it.each([
      ["https://a.example/p.png?w=1&h=2#x", "https://a.example/p.png?w=1&amp;h=2#x"],
      ["a) ; x", "a%29%20%3B%20x"],
      ["a\\27", "a%5C27"],
    ])("%s is written as an address", (x, address) => {
      const html = show(`<p style="background: ${place}">`, x);
      const once = place.includes("escape") ? address.replace("&amp;", "&amp;amp%3B") : address;
      expect(html).toBe(`<p style="background: ${place.replace(/\{\{.*\}\}/, once)}">`);
    });
  },
);
