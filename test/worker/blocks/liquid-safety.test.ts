import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAttributes } from "../../../edge/blocks/liquid/attributes.ts";
import { isSafeUrl } from "../../../edge/blocks/liquid/urls.ts";
import { checkTemplate, render } from "../../../edge/blocks/liquid.ts";

const MOMENT = { now: 0, timeZone: "UTC" };

const PIECES = [
  ...['"', "'", "<", ">", "&", "=", "/", "`", " ", "\n", "\t", "\0", "-->", "<!--", "]]>", "{{", "}}", "{%"],
  ...[
    "javascript:",
    "java\tscript:",
    "JAVASCRIPT&colon;",
    "&#106;avascript:",
    "data:text/html,",
    "vbscript:",
    "https://a.example/",
  ],
  ...[
    "<script>",
    "</script>",
    "<img src=x onerror=alert(1)>",
    "onload=alert(1)",
    "<svg/onload=alert(1)>",
    "</textarea>",
    "</title>",
  ],
  ...["style=", "href=", "alert(1)", "\u2028", "\ufeff", "&lt;", "&amp;lt;", "&quot;", "%22", "\\"],
];
const payload = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join("")),
  fc.string({ unit: "grapheme" }),
);

/** Elements with their attributes, as a browser's parser sees them. */
async function parseHtml(html: string): Promise<{ tag: string; attributes: string[][] }[]> {
  const elements: { tag: string; attributes: string[][] }[] = [];
  const rewriter = new HTMLRewriter().on("*", {
    element: (element) => void elements.push({ tag: element.tagName, attributes: [...element.attributes] }),
  });
  await rewriter.transform(new Response(html)).text();
  return elements;
}

const SOURCE = `<div title="{{ customer.x }}" data-a='{{ customer.x }}'><a href="{{ customer.x }}" class="b">{{ customer.x }}</a>
<img src='/i/{{ customer.x }}.png' alt="{{ customer.x | upcase }}"><form action="{% if true %}{{ customer.x }}{% endif %}"></form>
<textarea>{{ customer.x }}</textarea><!-- {{ customer.x }} -->{% capture y %}{{ customer.x }}{% endcapture %}<i>{{ y }}</i>
{% cycle customer.x, 'b' %}{% echo customer.x | append: customer.x %}{{ customer.x | escape | newline_to_br }}</div>`;

it.each([
  ["in quotes of both kinds", `<a href="1" B = '2'>`, ["href=1", "b=2"]],
  ["without quotes", "<a href=1 b=2/3>", ["href=1", "b=2/3"]],
  ["without a value", "<a b href = '' c=>", ["href="]],
  [
    "not in text, comments or text elements",
    `a="1" <!-- <a b="2"> --><textarea><a b="3"></textarea><i c="4">`,
    ["c=4"],
  ],
  ["not in other values", `<a title=' href="1"' b="<c d='2'>">`, [`title= href="1"`, "b=<c d='2'>"]],
  ["up to the end where a quote is not closed", `<a b="1><a c="2">`, ["b=1><a c="]],
  ["after slashes and odd names", `<a/b=1/><a "c='2'"d=3>`, ["b=1/", `"c=2`, `"d=3`]],
])("attributes are found %s", (_name, html, expected) => {
  const found = [...readAttributes(html)];
  expect(found.map(({ name, value }) => `${name}=${value}`).filter((text) => text !== "c=")).toEqual(expected);
  for (const { value, start, end } of found) expect(html.slice(start, end).replace(/^["']|["']$/g, "")).toBe(value);
});

describe("whatever a value holds", () => {
  it("the page has the template's elements and attributes, no others, and no URL that runs", async () => {
    const checked = checkTemplate(SOURCE);
    if (!("template" in checked)) throw new Error(JSON.stringify(checked.errors));
    const { template } = checked;
    await fc.assert(
      fc.asyncProperty(payload, async (x) => {
        const { html } = render(template, { customer: { x } }, MOMENT);
        const elements = (await parseHtml(html ?? "")).filter(({ tag }) => tag !== "br");
        expect(elements.map(({ tag, attributes }) => [tag, ...attributes.map(([name]) => name)])).toEqual([
          ["div", "title", "data-a"],
          ["a", "href", "class"],
          ["img", "src", "alt"],
          ["form", "action"],
          ["textarea"],
          ["i"],
        ]);
        for (const { attributes } of elements) {
          for (const [name, value] of attributes) {
            if (name === "href" || name === "action") expect(isSafeUrl(decode(value!)), html).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  }, 60_000);

  it("a template is checked and rendered without an exception", () => {
    const source = fc.array(
      fc.constantFrom(
        ...PIECES,
        "{{ customer.x }}",
        "{% if customer.x %}",
        "{% endif %}",
        "{% for a in customer %}",
        "{% endfor %}",
        "| default: 'a'",
        "a.b[c]",
        "{%- raw -%}",
        "{% endraw %}",
      ),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(source, fc.jsonValue(), (pieces, x) => {
        const checked = checkTemplate(pieces.join(""));
        if ("template" in checked) expect(render(checked.template, { customer: { x } }, MOMENT)).toBeDefined();
        else expect(checked.errors[0]?.detail).toMatch(/line \d+, column \d+/);
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

/** Once more, by the book: what stands in an attribute is text with entities. */
function decode(value: string): string {
  return value
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&");
}
