/** Where a value may stand, as browsers read the HTML around it. */
import { describe, expect, it } from "vitest";
import { checkTemplate } from "../../../edge/blocks/liquid.ts";

const V = "{{ customer.x }}";
const codesOf = (source: string) => {
  const checked = checkTemplate(source);
  return "template" in checked ? [] : [...new Set(checked.errors.map(({ code }) => code))];
};

describe("a value may stand", () => {
  it.each([
    ["in quotes of a tag with odd blanks and slashes", `<a\tclass/\nhref = "${V}"\f>`],
    ["behind whole comments", `<!--><p title="${V}">${V}</p><!---><!-- x --!><i>${V}</i>`],
    ["in a comment", `<!-- ${V} --><!--${V}-->`],
    ["in the title of a picture", `<svg><title>${V}</title></svg>`],
    ["in a heading whose rank depends", `<h{% if context.a %}1{% else %}2{% endif %} title="${V}">${V}</h1>`],
    ["behind an attribute that is left out", `<p{% if context.a %} hidden{% endif %}>${V}</p>`],
    ["behind two", `<p{% if context.a %} hidden{% endif %}{% if context.b %} title="${V}"{% endif %}>${V}</p>`],
    ["in an attribute that is left out", `<input type="text" {% if context.a %}value="${V}"{% endif %} disabled>`],
    ["in either attribute", `<p {% if context.a %}title="${V}"{% else %}lang='${V}'{% endif %}>${V}</p>`],
    ["for a property of a style", `<p style="color: ${V}; width:${V}%; margin: 0 ${V}px">`],
    ["for an address of a style", `<p style='background: url("${V}") center, url(/a/${V}.png)'>`],
    ["for a property of a style that depends", `<p style="{% if context.a %}color{% else %}fill{% endif %}: ${V}">`],
    ["in quotes around branches", `<p class="a {% if context.a %}b{% else %}${V}{% endif %}">${V}</p>`],
    ["in elements that depend", `{% if context.a %}<b>{% else %}<i>{% endif %}${V}{% if context.a %}</b>{% endif %}`],
    ["in each turn of a loop", `<ul>{% for a in context.list %}<li title="${V}">{{ a }}</li>{% endfor %}</ul>${V}`],
    ["in each case", `<p {% case context.a %} " {% when 1 %}title="a"{% when 2 %}title="${V}"{% endcase %}>${V}</p>`],
    [
      "behind a loop that is left between elements",
      `{% for a in context.list %}<p>{{ a }}</p>{% break %}{% endfor %}${V}`,
    ],
    ["behind style with ranges", `<style>@media (400px <= width < 900px) { p { color: red } }</style><p>${V}</p>`],
    ["behind what was captured", `{% capture a %}<p title="{% endcapture %}<i>${V}{{ a }}</i>`],
    ["behind text in a text field", `<textarea>1 < 2 ${V}</textarea><p title="${V}">`],
  ])("%s", (_, source) => expect(codesOf(source)).toEqual([]));
});

describe("a value is refused", () => {
  it.each([
    ["behind a blank that browsers take for part of a name", `<a\u00a0href="${V}">`],
    ["behind a vertical tab", `<a\vhref="${V}">`],
    ["in a script with a slash", `<script/>${V}</script>`],
    ["in a script whose end only looks like one", `<script></scriptx>${V}</script>`],
    ["in a script behind a comment that ends at once", `<!--><script>${V}</script>-->`],
    ["in a script behind a comment with another end", `<!-- --!><script>${V}</script>-->`],
    ["in a script that is written as it is", `{% raw %}<script>{% endraw %}${V}</script>`],
    ["behind a script within a script", `<script><!--<script></script>${V}</script>`],
    ["behind what is no comment", `<!x a="><script>${V}</script>">`],
    ["behind what only some read as text", `<svg><style><a title="</style><b title="${V}">`],
    ["behind a title that opens something in a picture", `<svg><title><a href="${V}"></title></svg>`],
    ["behind a title in a list", `<select><title><b title="</title><b title="${V}">`],
    ["behind CDATA", `<svg><![CDATA[><a title="]]><a title=${V}>">`],
    ["behind a comment in one branch", `{% if context.a %}<!--{% endif %}<a href="${V}">-->`],
    ["behind a quote in one branch", `<a {% if context.a %}title="{% endif %} b="${V}">`],
    ["where a quote stays open in each turn", `{% for a in context.list %}<p title="{% endfor %}${V}`],
    [
      "behind a loop that is left within a quote",
      `{% for a in context.list %}<a title="{% break %}">{% endfor %}" x=${V}>`,
    ],
    [
      "behind a turn that ends within a quote",
      `{% for a in context.list %}<a title="{% if a %}{% continue %}{% endif %}">{% endfor %}" x=${V}>`,
    ],
    [
      "behind a loop that is left by liquid",
      `{% for a in context.list %}<a title="{% liquid if a\nbreak\nendif %}">{% endfor %}${V}`,
    ],
    ["in the other branch of an open quote", `<p {% if context.a %}title="{% else %}${V}{% endif %}">`],
    ["behind a trimmed blank", `<a x=y {%- assign a = 1 -%} title="${V}">`],
    ["where an output has braces in quotes", `<a title="{{ "}}" }}" b=${V}>`],
    ["behind a bracket and Liquid", `<{% assign a = 1 %}${V} src=x>`],
    ["in the end of a comment", `<!-- --${V}> <a title="-->`],
    ["in an attribute of a script", `<script src="${V}"></script>`],
    ["in the base of all addresses", `<base href="${V}">`],
    ["in what leads the page away", `<meta http-equiv="refresh" content="0;url=${V}">`],
    ["in what becomes another attribute", `<svg><a><set attributeName="href" to="${V}"/></a></svg>`],
    ["for a style", `<p style="${V}">`],
    ["for a further declaration of a style", `<p style="color: red; ${V}">`],
    ["for the name of a property", `<p style="color: red;${V}: blue">`],
    ["in an object", `<object data="${V}"></object>`],
    ["in a style sheet's address", `<link rel="stylesheet" href="${V}">`],
  ])("%s", (_, source) => expect(codesOf(source)).toEqual(["unsafe-position"]));
});
