import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lintBalance } from "../../../edge/blocks/checks/balance.ts";

/** Of each finding the tags that it names, with their columns. */
const tagsOf = (source: string) =>
  lintBalance(source, "").map(({ detail }) =>
    [...detail.matchAll(/(<\S+>) \(line 1, column (\d+)\)/g)].map(([, tag, column]) => `${tag}${column}`).join(" "),
  );

describe("nothing is said of", () => {
  it.each([
    [
      "elements in elements",
      `<div><p title="<b>">a<br><img src=a><i>b</i></p><!-- <b> --><textarea><b></textarea></div>`,
    ],
    [
      "ends that may be left out",
      "<ul><li>a<li>b</ul><table><tr><td>a<td>b</table><dl><dt>a<dd>b</dl><div><p>a<p>b</div>",
    ],
    ["a paragraph around what keeps it", "<p><button><div>a</div></button></p><td><p>a</p></td>"],
    ["pictures", `<svg viewBox="0 0 1 1"><path d="M0"/><g><circle/></g></svg><svg/>`],
    ["a whole document", "<!doctype html><html><head><title>a</title></head><body><p>a</body></html>"],
    [
      "comments for Outlook",
      "<!--[if mso]><table><tr><td><![endif]--><b>a</b><!--[if mso]></td></tr></table><![endif]-->",
    ],
    ["branches that begin and end the same", "{% if a %}<b>{% else %}<b class=x>{% endif %}x</b>"],
    ["elements of one condition", "{% if a %}<a href=x>{% endif %}x{% if a %}</a>{% endif %}"],
    [
      "elements of one condition, said otherwise",
      "{% unless b %}<a href=x>{% endunless %}x{% if c == 1 %}</a>{% endif %}",
    ],
    ["an end in each branch", "<div>{% case a %}{% when 1 %}</div>{% when 2 %}b</div>{% else %}</div>{% endcase %}"],
    ["rows of a grid", "<div>{% for a in b %}{% if a == 3 %}</div><div>{% endif %}a{% endfor %}</div>"],
    [
      "rows that the next turn ends",
      "{% for a in b %}{% unless forloop.first %}</div>{% endunless %}<div>{% endfor %}</div>",
    ],
    [
      "what is captured or left out",
      "{% capture a %}<b>{% endcapture %}{% comment %}<i>{% if %}{% endcomment %}{% case a %}<u>{% when 1 %}x{% endcase %}",
    ],
    ["Liquid that is text", "{% raw %}{% if a %}<b>{% endraw %}</b>"],
    ["names that are values", `<h{{ a }}>x</h{{a}}><p{% if a %} class="x"{% endif %}>y</p>`],
  ])("%s", (_, source) => expect(tagsOf(source)).toEqual([]));
});

describe("told of are", () => {
  it.each([
    ["an element without an end", "<div>a<b>c</div>", ["<b>7"]],
    ["an end without an element", "a</div><i></b></i>", ["</div>2", "</b>11"]],
    ["an end of what has none", "<br>a</br>", ["</br>6"]],
    ["a slash that ends nothing", "<div/>", ["<div>1"]],
    ["elements that cross", "<b><i>a</b></i>", ["<i>4 </i>12"]],
    ["a block in a paragraph", "<p>a<div>b</div></p>", ["<div>5 <p>1 </p>17"]],
    ["what no branch closes", "{% if a %}<b>{% endif %}<b>c</b>", ["<b>11"]],
    ["what nothing opens", "<b>c</b>{% if a %}</b>{% endif %}", ["</b>19"]],
    ["one too many on every way", "<i><i>{% if a %}</i>{% endif %}", ["<i>1"]],
    ["ends after branches that ended it all", "<i>{% if a %}</i>{% else %}</i>{% endif %}</i>", ["</i>43"]],
    ["branches that exclude each other", "{% for a in b %}<i>{% else %}</i>{% endfor %}", ["<i>17 </i>30"]],
    ["what stands in each turn", "{% for a in b %}<i>{{ a }}{% endfor %}", ["<i>17"]],
  ])("%s", (_, source, tags) => expect(tagsOf(source)).toEqual(tags));

  it("no more than help", () => expect(tagsOf("</b>".repeat(16_000))).toHaveLength(20));
});

it("nothing is said where many branches stand behind many ways", () => {
  const ways = "{% if a %}<i>{% endif %}".repeat(6);
  expect(tagsOf(ways + "{% if a %}{% endif %}".repeat(10))).toHaveLength(6);
  expect(tagsOf(ways + "{% if a %}{% endif %}".repeat(2_000))).toEqual([]);
});

const { html } = fc.letrec<{ html: string }>((tie) => ({
  html: fc
    .array(
      fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("a", "<br>", "{{ customer.a }}", "<!-- <i> -->", '<img alt="<b>">'),
        fc
          .tuple(fc.constantFrom("div", "b", "ul", "section"), tie("html"))
          .map(([name, inner]) => `<${name}>${inner}</${name}>`),
        tie("html").map((inner) => `{% if a %}${inner}{% elsif b %}${inner}{% endif %}`),
        tie("html").map((inner) => `{% for a in b %}${inner}{% else %}${inner}{% endfor %}`),
      ),
      { maxLength: 3 },
    )
    .map((parts) => parts.join("")),
}));

it("whatever is balanced is left alone, and an end more or less is told of", () => {
  fc.assert(
    fc.property(html, html, (before, after) => {
      expect(tagsOf(before + after)).toEqual([]);
      expect(tagsOf(`${before}<main>${after}`)).toHaveLength(1);
      expect(tagsOf(`${before}</main>${after}`)).toHaveLength(1);
    }),
    { numRuns: 300 },
  );
});
