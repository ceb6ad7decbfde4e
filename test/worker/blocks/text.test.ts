import { describe, expect, it } from "vitest";
import { checkTemplate, checkText, renderText, type Scope } from "../../../edge/blocks/liquid.ts";
import { LiveText } from "../../../edge/manifest/template.ts";

const MOMENT = { now: Date.UTC(2026, 2, 1, 23, 30), timeZone: "UTC" };

function show(source: string, scope: Scope = {}) {
  const checked = checkText(source);
  if ("errors" in checked) throw new Error(JSON.stringify(checked.errors));
  return renderText(checked.template, scope, MOMENT);
}

describe("a text", () => {
  it.each<[string, string, Scope, string]>([
    [
      "writes values as they are",
      "Hi {{ customer.name }} & <co>",
      { customer: { name: `"A" <b>` } },
      `Hi "A" <b> & <co>`,
    ],
    ["with echo and cycle, too", "{% echo '<' %}{% cycle '>', 'b' %}", {}, "<>"],
    [
      "may have a value anywhere",
      "https://a.example/{{ customer.id }}?b=<a {{ customer.id }}",
      { customer: { id: 7 } },
      "https://a.example/7?b=<a 7",
    ],
    [
      "captures without escaping",
      "{% capture a %}{{ customer.x }}{% endcapture %}{{ a }}",
      { customer: { x: "<" } },
      "<",
    ],
    ["escapes where it is asked to", "{{ customer.x | escape }}", { customer: { x: "<" } }, "&lt;"],
    ["writes objects as JSON", "{{ customer.x }}", { customer: { x: { a: 1 } } }, '{"a":1}'],
  ])("%s", (_name, source, scope, text) => {
    expect(show(source, scope)).toEqual({ text });
  });

  it("is refused for its Liquid alone", () => {
    expect(checkText("a {{ b")).toMatchObject({
      errors: [{ code: "liquid-syntax", detail: expect.stringMatching(/line 1, column 3/) }],
    });
    expect(checkText("javascript:{{ customer.x }} <a {{ customer.x }}>")).toHaveProperty("template");
    expect(checkTemplate("<a {{ customer.x }}>")).toHaveProperty("errors");
  });

  it("has the limits of a template", () => {
    expect(show("{% for i in (1..100000000) %}a{% endfor %}")).toEqual({ error: expect.any(String) });
  });

  it("of a live block is rendered for one person, or once for everybody", () => {
    const site = { id: "s", name: "Shop & Co", timeZone: "UTC" };
    const subject = new LiveText("{{ site.name }}: {{ customer.name }}", site);
    expect(subject.render({ customer: { name: "O'Hara" } }, 0)).toEqual({ text: "Shop & Co: O'Hara" });
    const shared = new LiveText("{{ site.name }}", site);
    expect(shared.isShared).toBe(true);
    expect(shared.render({}, 0)).toBe(shared.render({}, 1));
  });
});
