import { describe, expect, test } from "vitest";
import { press } from "./press.ts";

async function compile(source: string): Promise<string> {
  const compiled = await press.compileMjml(source);
  if ("errors" in compiled) throw new Error(JSON.stringify(compiled.errors));
  return compiled.html;
}

async function fail(source: string) {
  const compiled = await press.compileMjml(source);
  return "errors" in compiled ? compiled.errors : [];
}

const inColumn = (content: string) => `<mj-section>\n<mj-column>\n${content}\n</mj-column>\n</mj-section>`;
const documentOf = (content: string) => `<mjml><mj-body>\n${inColumn(content)}\n</mj-body></mjml>`;

test("a document becomes a whole e-mail, which asks no third party for fonts", async () => {
  const html = await compile(documentOf("<mj-text>Hello</mj-text>"));
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).toContain(">Hello</div>");
  expect(html).not.toMatch(/googleapis|https:\/\/fonts/);
});

test("components become what can be put inside an e-mail: the columns' styles and the tables, nothing of a document", async () => {
  const column = "<mj-column><mj-text>One</mj-text></mj-column>";
  const html = await compile(`<mj-section>${column}${column}</mj-section>`);
  expect(html).toMatch(/^<style[\s\S]*\.mj-column-per-50 \{ width:50% !important;/);
  expect(html).not.toMatch(/<html|<head|<body|<title|<meta|#outlook|role="article"/);
  expect(html.match(/<div\b/g)!.length).toBe(html.match(/<\/div>/g)!.length);
  expect(html.match(/<table\b/g)!.length).toBe(html.match(/<\/table>/g)!.length);
});

test.each([
  ["a component of a column", "<mj-text>Hello</mj-text>"],
  ["a column", "<mj-column><mj-text>Hello</mj-text></mj-column>"],
  ["a section", "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"],
  ["a wrapper", "<mj-wrapper><mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section></mj-wrapper>"],
])("%s alone is enough", async (_, source) => {
  expect(await compile(source)).toContain(">Hello</div>");
});

describe("Liquid stays as it is", () => {
  test.each([
    ["in text", `<mj-text>Hi {{ customer.first_name | default: "you" | escape }}</mj-text>`],
    ["with signs of HTML in it", "<mj-text>{% if a < 3 and b > 2 %}x{% endif %}</mj-text>"],
    ["over lines", "<mj-text>{% assign a =\n  b %}</mj-text>"],
    ["in attributes of any type", `<mj-text color="{{ c }}" font-size="{{ size | plus: 1 }}px">x</mj-text>`],
    ["with quotes in a quoted attribute", `<mj-button href="{{ url | default: "https://a.example/" }}">x</mj-button>`],
    ["in a URL", `<mj-image src="https://a.example/{{ id }}.png?a=1&amp;b={{ b }}" alt="{{ alt }}" />`],
    ["between rows of a table", "<mj-table>{% for i in items %}<tr><td>{{ i }}</td></tr>{% endfor %}</mj-table>"],
    ["in mj-raw", "<mj-raw>{%- if a -%}</mj-raw><mj-text>x</mj-text><mj-raw>{% endif %}</mj-raw>"],
    ["between components", "{% for p in ps %}<mj-text>{{ p.name }}</mj-text>{% endfor %}"],
    ["that is not to be looked into", "<mj-text>{% raw %}</mj-text>{{ x }}{% endraw %}</mj-text>"],
    ["beside its own stand-in", "<mj-text>liquid0x liquidq0x {{ a }}{{ b }}</mj-text>"],
  ])("%s", async (_, content) => {
    const pieces = content.match(/\{%-?\s*raw[\s\S]*endraw\s*%\}|\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g)!;
    for (const source of [documentOf(content), inColumn(content), content]) {
      const html = await compile(source);
      for (const piece of pieces) expect(html).toContain(piece);
    }
  });

  test("around whole sections, outside of their tables", async () => {
    const html = await compile(`{% if vip %}${inColumn("<mj-text>x</mj-text>")}{% endif %}`);
    expect(html).toMatch(/\{% if vip %\}\s*<!--\[if mso[\s\S]*<!\[endif\]-->\s*\{% endif %\}$/);
  });
});

describe("errors say the line and what is wrong", () => {
  test.each([
    ["an unknown component", "<mj-txt />", 3, "Element mj-txt doesn't exist or is not registered"],
    ["an unknown attribute", '<mj-text colr="red">x</mj-text>', 3, "Attribute colr is illegal"],
    ["a value of a wrong type", '<mj-text font-size="abc">x</mj-text>', 3, "font-size has invalid value: abc"],
    ["what is not closed", "<mj-text>x", 3, "<mj-text> is not closed"],
    ["what closes nothing", "</mj-text>", 3, "</mj-text> closes nothing here: <mj-column> is open"],
    ["text between components", "\nhello", 4, "text or HTML stands in <mj-column>"],
    ["HTML between components", "<b>x</b>", 3, "text or HTML stands in <mj-column>"],
    ["a file to read", '<mj-include path="/etc/passwd" />', 3, "mj-include reads files"],
    ["after Liquid over lines", "<mj-text>{% if\na %}</mj-text>\n<mj-txt />", 5, "Element mj-txt doesn't exist"],
    ["Liquid that MJML computes with", '<mj-image src="a" width="{{ w }}px" />', 3, "MJML does not keep {{ w }} here"],
    ["Liquid in place of an attribute", '<mj-text {{ a }}="x">x</mj-text>', 3, "MJML does not keep {{ a }} here"],
    [
      "too many images in a carousel",
      `<mj-carousel>${"<mj-carousel-image />".repeat(21)}</mj-carousel>`,
      3,
      "more than 20",
    ],
  ])("%s", async (_, content, line, message) => {
    const errors = await fail(inColumn(content));
    expect(errors).toContainEqual({ line, message: expect.stringContaining(message) });
    expect(errors.length).toBeLessThanOrEqual(20);
  });

  test.each([
    ["nothing", "", "there is no component in it"],
    ["HTML", "<!doctype html>", "text or HTML stands outside of components"],
    ["too much", `${"é".repeat(32 * 1024)}x`, "longer than 65536 bytes"],
    ["too deep", "<mj-wrapper>".repeat(2_400) + "</mj-wrapper>".repeat(2_400), "nested too deeply"],
    ["not even a string", { toString: 1 } as unknown as string, "not a string"],
  ])("%s", async (_, source, message) => {
    expect((await fail(source))[0]!.message).toContain(message);
  });
});

test("whatever comes, it answers HTML or errors", async () => {
  const pieces = [
    "<mj-text>",
    "</mj-text>",
    "<mj-section",
    ">",
    "/>",
    '"',
    "'",
    "{{",
    "}}",
    "{%",
    "%}",
    "<!--",
    "-->",
    "<mjml>",
    "\n",
  ];
  pieces.push(
    "</mjml>",
    "<mj-body>",
    "</mj-body>",
    "<![CDATA[",
    "{% raw %}",
    "x",
    "=",
    "&",
    "\0",
    "\ud800",
    "<mj-column>",
    "<mj-head>",
  );
  let seed = 1;
  const next = (below: number) => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed % below;
  };
  for (let round = 0; round < 300; round++) {
    const source = Array.from({ length: next(40) }, () => pieces[next(pieces.length)]).join("");
    const compiled = await press.compileMjml(source);
    expect("html" in compiled || compiled.errors.length > 0).toBe(true);
  }
});

test.each(["<mj-text ", '<mj-text "', "<!--", "{{", "{% raw %}", "<mj-text>", "liquid"])(
  "a source full of %j is answered before anybody loses patience",
  async (piece) => {
    const compiled = await press.compileMjml(piece.repeat(Math.floor(65_536 / piece.length)));
    expect(Object.keys(compiled)).toEqual([expect.stringMatching(/^(html|errors)$/)]);
  },
);
