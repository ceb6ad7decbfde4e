/** Templates that would loop for ever, grow without bound, read what is not theirs, or are no text: refused or stopped, never a failure. */
import { exports } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { type Client, type Json, newSite, send } from "./client.ts";

const times = (count: number, text: string) => text.repeat(count);
const nest = (count: number, begin: string, end: string) => `${times(count, begin)}x${times(count, end)}`;
const LOOP = "{% for i in (1..100000) %}";

const TEMPLATES: { [name: string]: string } = {
  "loops without end": `${LOOP}${LOOP}${LOOP}x{% endfor %}{% endfor %}{% endfor %}`,
  "a range without bound": "{% for i in (1..999999999999) %}x{% endfor %}",
  "a range that is a value": "{% for i in (1..customer.n) %}{% for j in (1..customer.n) %}x{% endfor %}{% endfor %}",
  "a table without bound": "{% tablerow i in (1..10000000) %}x{% endtablerow %}",
  "a text that doubles": `{% assign a = "xxxxxxxx" %}${times(60, "{% assign a = a | append: a %}")}{{ a }}`,
  "a captured text that doubles": `{% assign a = "x" %}${times(40, "{% capture a %}{{ a }}{{ a }}{% endcapture %}")}{{ a }}`,
  "a list that doubles": `{% assign a = "x,y" | split: "," %}${times(40, "{% assign a = a | concat: a %}")}{{ a | size }}`,
  "a text that is replaced by itself": `{% assign a = "xxxxxxxxxx" %}${times(20, '{% assign a = a | replace: "x", a %}')}{{ a }}`,
  "a string of a billion": '{{ "x" | ljust: 1000000000 }}{{ 1 | times: 1e308 | times: 1e308 }}',
  "a strange slice": '{{ "x" | slice: -99999999999, 99999999999 }}{{ "x" | truncate: 99999999999 }}',
  "division by nothing": "{{ 1 | divided_by: 0 }}{{ 1 | modulo: 0 }}{{ 'x' | minus: 'y' }}",
  prototypes:
    "{{ customer.__proto__ }}{{ customer.constructor.name }}{{ customer['constructor']['prototype'] }}{{ ''.length.constructor }}",
  "prototypes of lists":
    "{{ cart.items.constructor }}{{ cart.items.__proto__.push }}{{ site.toString }}{{ forloop.constructor }}",
  "names of the engine": "{{ globals }}{{ environments }}{{ this }}{{ process.env }}{{ globalThis.caches }}{{ self }}",
  "a filter that is none": "{{ customer | constructor }}{{ customer | __proto__ }}{{ customer | toString }}",
  "a tag that is none": "{% constructor %}{% __proto__ %}",
  "assigned prototypes":
    '{% assign __proto__ = "x" %}{% assign constructor = "y" %}{{ constructor }}{% capture toString %}z{% endcapture %}',
  "1,000 tags deep": nest(1_000, "{% if true %}", "{% endif %}"),
  "1,000 loops deep": nest(1_000, "{% for a in b %}", "{% endfor %}"),
  "1,000 elements deep": nest(1_000, "<div>", "</div>"),
  "1,000 brackets deep": `{{ ${nest(1_000, "a[", "]")} }}`,
  "10,000 properties deep": `{{ a${times(10_000, ".b")} }}`,
  "10,000 filters": `{{ "a"${times(5_000, " | upcase")} }}`,
  "10,000 conditions": `{% if true${times(3_000, " and true")} %}x{% endif %}`,
  "3,000 variables": times(3_000, "{{ customer.a }}"),
  "3,000 names": Array.from({ length: 3_000 }, (_, at) => `{{ customer.a${at} }}`).join(""),
  "3,000 assignments": Array.from({ length: 1_500 }, (_, at) => `{% assign a${at} = customer.b${at} %}`).join(""),
  "a page of brackets": times(16_000, "{{ ("),
  "a page of tags": times(10_000, "{% if"),
  "a page of quotes": `{{ ${times(20_000, "\"'")} }}`,
  "a page of blanks": `{{-${times(60_000, " ")}-}}`,
  "a page of less-than": times(60_000, "<"),
  "a page of comments": times(10_000, "<!--"),
  "a tag that is never closed": `<a ${times(15_000, 'a="')}`,
  "characters that are none": "\u0000\ufffe\uffff\ud800 {{ customer.x }} \udc00",
  "directions and marks": "\u202e\u2066{{ customer.x | upcase }}\u0300".repeat(500),
  "files and networks": "{% include '/etc/passwd' %}{% render 'x' %}{% layout 'y' %}{% block z %}{% endblock %}",
  "dates of no time": '{{ "now" | date: "%999999999Y" }}{{ 1e300 | date }}{{ "x" | date: "%-%%%" }}',
  "money of no country": '{{ 1e308 | money: "XXXXXXXX", "xx-yy-zz-!!!" }}{{ 1 | money: customer, cart }}',
  "a pattern that takes for ever": `{{ "${times(5_000, "a")}!" | strip_html | replace: "a", "aa" | split: "" | join: "," | size }}`,
  "sorted by what is not there":
    '{{ cart.items | sort: "x" | map: "__proto__" | where: "constructor", "x" | uniq | json }}',
};

let site: Client;
let live = 0;
beforeAll(async () => {
  site = await newSite({ origins: ["*"] });
});

const HOSTILE = { profile: { traits: { n: 1e9, x: "\ud800", a: { b: {} }, __proto__: "x" }, events: [] } };

/** Answered, and not as a failure of ours. */
async function expectAnswer(answer: Promise<Response>, statuses: readonly number[]): Promise<Json> {
  const response = await answer;
  const body = await response.text();
  expect(statuses, body.slice(0, 500)).toContain(response.status);
  expect(body).not.toMatch(/\bat \S+ \(|node_modules|Maximum call stack|Cannot read prop|is not a function/);
  return JSON.parse(body);
}

it.each(Object.entries(TEMPLATES).map((entry, index) => [...entry, `h${index}`] as const))(
  "%s",
  { timeout: 20_000 },
  async (_, template, key) => {
    await expectAnswer(site.send("POST", "/api/blocks/preview", { template, ...HOSTILE }), [200, 400, 422]);
    const variants = [{ key: "all", template }];
    const saved = await site.send("POST", "/api/blocks", { key, slot: key, variants, fallback: "<p>Own</p>" });
    await expectAnswer(Promise.resolve(saved), [201, 400, 422]);
    if (saved.status !== 201) return;
    await expectAnswer(site.send("POST", "/api/blocks/preview", { block: key, ...HOSTILE }), [200, 400, 422]);
    const published = await site.send("POST", `/api/blocks/${key}/publish`);
    await expectAnswer(Promise.resolve(published), [200, 400, 422]);
    if (published.status !== 200) return;
    live++;
    const traits = { ...HOSTILE.profile.traits, x: "x" };
    const events = [{ type: "identify", messageId: key, traits }];
    const asked = { writeKey: site.writeKey, anonymousId: key, slots: [key], events };
    const decided = exports.default.fetch("https://edge.example/v1/decide", {
      method: "POST",
      body: JSON.stringify(asked),
    });
    const { slots } = await expectAnswer(decided, [200]);
    const { html } = slots[key] as { html: string | null };
    expect((html ?? "").length).toBeLessThan(600_000);
    expect(html ?? "").not.toMatch(/native code|\[object |function |=>/);
  },
);

it("some are odd and no more: they are live", () => {
  expect(live).toBeGreaterThan(10);
  expect(live).toBeLessThan(Object.keys(TEMPLATES).length - 10);
});

it("bodies that are no JSON, no UTF-8 or too large are refused", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const invalid = bytes('{"key":"i","slot":"i","variants":[{"key":"a","template":"?"}]}');
  invalid[invalid.indexOf("?".charCodeAt(0))] = 0xff;
  const large = JSON.stringify({ key: "l", slot: "l", variants: [{ key: "a", template: "x".repeat(70_000) }] });
  const huge = JSON.stringify({ key: "l", slot: "l", variants: [{ key: "a", template: "x".repeat(5_000_000) }] });
  const many = JSON.stringify({
    key: "l",
    slot: "l",
    variants: Array.from({ length: 51 }, (_, at) => ({ key: `v${at}`, template: "x" })),
  });
  for (const body of [invalid, bytes("{"), bytes(`${"[".repeat(50_000)}`), large, huge, many]) {
    for (const path of ["/api/blocks", "/api/blocks/preview"])
      await expectAnswer(send(site.secretKey, "POST", path, body), [400, 413, 422]);
  }
});
