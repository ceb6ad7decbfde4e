import { describe, expect, it } from "vitest";
import { checkTemplate, render, type Scope, variablesOf } from "../../../edge/blocks/liquid.ts";

const MOMENT = { now: Date.UTC(2026, 2, 1, 23, 30), timeZone: "UTC" };

function parse(source: string) {
  const checked = checkTemplate(source);
  if (!("template" in checked)) throw new Error(JSON.stringify(checked.errors));
  return checked.template;
}

function show(source: string, scope: Scope = {}, moment = MOMENT) {
  return render(parse(source), scope, moment);
}

function errorsOf(source: string) {
  const checked = checkTemplate(source);
  return "errors" in checked ? checked.errors : [];
}

describe("what a template says", () => {
  it.each<[string, string, Scope, string]>([
    ["a trait", "Hi {{ customer.name }}", { customer: { name: "Ada" } }, "Hi Ada"],
    ["a default", "Hi {{ customer.name | default: 'you' }}", {}, "Hi you"],
    ["a default for an empty text", "Hi {{ customer.name | default: 'you' }}", { customer: { name: "" } }, "Hi you"],
    ["membership", "{% if segment.vip %}V{% else %}-{% endif %}", { segment: { vip: true } }, "V"],
    ["a key with a hyphen", "{% if segment['big-spender'] %}V{% endif %}", { segment: { "big-spender": true } }, "V"],
    [
      "a list",
      "{% for p in cart.items %}{{ p.title }};{% endfor %}",
      { cart: { items: [{ title: "a" }, { title: "b" }] } },
      "a;b;",
    ],
    ["money", "{{ 1234.5 | money: 'EUR', 'de' }}", {}, "1.234,50\u00a0€"],
    ["money without a currency", "{{ '12' | money }}", {}, "12.00"],
    ["money of what is no number", "{{ customer.x | money: 'EUR' }}", { customer: { x: "n/a" } }, "n/a"],
    ["money in a currency that does not exist", "{{ 3 | money: 'not a currency' }}", {}, "3.00"],
    ["a date", "{{ '2026-01-02T03:04:05Z' | date: '%Y-%m-%d %H:%M' }}", {}, "2026-01-02 03:04"],
    ["an object, as JSON", "{{ customer.a }}", { customer: { a: { b: 1 } } }, "{&quot;b&quot;:1}"],
    ["line breaks", "{{ customer.a | newline_to_br }}", { customer: { a: "<\n>" } }, "&lt;<br />\n&gt;"],
    ["escape only once", "{{ customer.a | escape }}", { customer: { a: "<" } }, "&lt;"],
  ])("%s", (_name, source, scope, html) => {
    expect(show(source, scope)).toEqual({ html });
  });

  it("takes now and the zone from the moment it is given, not from a clock", () => {
    expect(show("{{ 'now' | date: '%Y-%m-%d %H:%M' }}")).toEqual({ html: "2026-03-01 23:30" });
    expect(show("{{ 'now' | date: '%d %H:%M' }}", {}, { ...MOMENT, timeZone: "Europe/Berlin" })).toEqual({
      html: "02 00:30",
    });
  });
});

describe("values cannot become markup", () => {
  const evil = `"><script>alert(1)</script>'`;
  it.each([
    ["text", "<p>{{ customer.x }}</p>"],
    ["a quoted attribute", '<p title="{{ customer.x }}">a</p>'],
    ["an attribute in single quotes", "<p title='{{ customer.x }}'>a</p>"],
    ["echo", "<p>{% echo customer.x %}</p>"],
    ["cycle", "<p>{% cycle customer.x, 'b' %}</p>"],
    ["capture", "{% capture a %}{{ customer.x }}{% endcapture %}<p>{{ a }}</p>"],
    ["escape_once", "<p>{{ customer.x | escape_once }}</p>"],
    ["json", "<p>{{ customer | json }}</p>"],
  ])("in %s", (_name, source) => {
    const { html } = show(source, { customer: { x: evil } });
    expect(html).toContain("script");
    expect(html?.replace(/<\/?p( title=("[^"<>]*"|'[^'<>]*'))?>/g, "")).not.toMatch(/[<>"']/);
  });

  it.each([
    ["without quotes", "<a class={{ customer.x }}>a</a>"],
    ["as an attribute's name", "<a {{ customer.x }}>a</a>"],
    ["as a tag's name", "<{{ customer.x }}>"],
    ["as a part of a tag's name", "<h{{ customer.x }}>"],
    ["in a script", "<script>var a = '{{ customer.x }}'</script>"],
    ["in a style sheet", "<style>a { color: {{ customer.x }} }</style>"],
    ["in an event handler", '<a onclick="f({{ customer.x }})">a</a>'],
    ["in srcdoc", '<iframe srcdoc="{{ customer.x }}"></iframe>'],
  ])("are refused %s, with line and column", (_name, source) => {
    const errors = errorsOf(`<p>\n${source}`);
    expect(errors[0]).toMatchObject({ code: "unsafe-position", detail: expect.stringMatching(/line 2, column \d+/) });
  });

  it.each([
    "javascript:alert(1)",
    " JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    "vbscript:x",
    "data:text/html,<b>",
  ])("make a URL with the scheme of %j harmless", (url) => {
    expect(show('<a href="{{ customer.url }}">a</a>', { customer: { url } })).toEqual({ html: '<a href="#">a</a>' });
    expect(show("<a class='b' HREF = '{{ customer.url }}'>a</a>", { customer: { url } }).html).toMatch(/HREF = "#"/);
  });

  it.each([
    '<a href="javascript:alert(1)">a</a>',
    "<a href='data:text/html,x'>a</a>",
    "<a href=javascript:alert(1)>a</a>",
    '<a href="javascript&colon;{{ customer.x }}">a</a>',
    '<form action="{% if customer.x %}javascript:{% endif %}f()">',
  ])("are refused where the author wrote an unsafe URL: %s", (source) => {
    expect(errorsOf(`<p>\n${source}`)).toMatchObject([
      { code: "unsafe-url", detail: expect.stringMatching(/line 2, column \d+/) },
    ]);
  });

  it.each([
    "<a href=\"{{ customer.url | default: 'https://shop.example' }}\">a</a>",
    '<img src="data:image/png;base64,AAAA" alt="">',
    '<a href="/{% if customer.vip %}vip{% else %}new{% endif %}?at=10:00">a</a>',
    "<p>The javascript: scheme</p>",
  ])("may be written as %s", (source) => {
    expect(errorsOf(source)).toEqual([]);
  });

  it("make a URL harmless that is put together from parts or from entities", () => {
    expect(show('<a href="java{{ customer.x }}">a</a>', { customer: { x: "script:alert(1)" } })).toEqual({
      html: '<a href="#">a</a>',
    });
    expect(show('<a href="&#106;avascript{{ customer.x }}">a</a>', { customer: { x: ":alert(1)" } })).toEqual({
      html: '<a href="#">a</a>',
    });
  });

  it.each(["/cart?a=1&b=2", "https://shop.example/a:b", "mailto:a@b.example", "#top", "a/b:c", "?next=http://x"])(
    "leave the URL %s alone",
    (url) => {
      const { html } = show('<a href="{{ customer.url }}">a</a>', { customer: { url } });
      expect(html).toBe(`<a href="${url.replace("&", "&amp;")}">a</a>`);
    },
  );
});

describe("a template that is wrong", () => {
  it.each([
    ["a tag that is not closed", "a\n  {% if x %}b", /if.*not closed.*line 2, column 3/],
    ["an output that is not closed", "a {{ customer.name", /not closed.*line 1, column 3/],
    ["a tag that does not exist", "{% nope %}", /"nope" not found.*line 1, column 1/],
    ["a filter that does not exist", "\n{{ a | nope }}", /nope.*line 2, column 1/],
    ["raw", "{{ customer.a | raw }}", /raw.*line 1/],
    ["include", "{% include 'x' %}", /include/],
    ["render", "{% render 'x' %}", /render/],
    ["layout", "{% layout 'x' %}", /layout/],
    ["block", "{% block x %}{% endblock %}", /block/],
  ])("%s is refused with what and where", (_name, source, detail) => {
    expect(errorsOf(source)).toEqual([{ pointer: "", code: "liquid-syntax", detail: expect.stringMatching(detail) }]);
  });

  it("of more than 64 KB is refused", () => {
    expect(errorsOf("a".repeat(64 * 1024 + 1))[0]?.code).toBe("too-large");
  });

  it("that is nested a thousand deep is refused", () => {
    expect(errorsOf("{% if true %}".repeat(1_000) + "{% endif %}".repeat(1_000))[0]?.code).toBe("too-deep");
    const lines = `{% liquid\n${"if true\n".repeat(4_000)}${"endif\n".repeat(4_000)}%}`;
    expect(checkTemplate(lines)).toBeDefined();
  });
});

describe("a template that misbehaves is stopped", () => {
  const list = { cart: { items: Array.from({ length: 1_000 }, (_, i) => i) } };
  it.each<[string, string]>([
    ["loops over a huge range", "{% for i in (1..100000000) %}a{% endfor %}"],
    [
      "loops in loops without writing",
      "{% for a in cart.items %}{% for b in cart.items %}{% for c in cart.items %}{% endfor %}{% endfor %}{% endfor %}",
    ],
    ["doubles a text", `{% assign a = 'aaaaaaaaaa' %}${"{% assign a = a | append: a %}".repeat(40)}`],
    ["captures itself", `{% assign a = 'aaaaaaaaaa' %}${"{% capture a %}{{ a }}{{ a }}{% endcapture %}".repeat(40)}`],
    ["writes too much", `{% for a in cart.items %}${"x".repeat(1_000)}{% endfor %}`],
    ["pads a date", "{{ 'now' | date: '%999999999d' }}"],
  ])("when it %s", (_name, source) => {
    expect(show(source, list)).toEqual({ error: expect.any(String) });
  });

  it("reads own properties only", () => {
    const source =
      "{{ customer.constructor }}{{ customer.__proto__.x }}{{ customer.name.constructor.name }}{{ toString }}{{ __proto__ }}";
    expect(show(source, { customer: { name: "a" } })).toEqual({ html: "" });
  });

  it("leaves the scope that it was given as it was", () => {
    const scope = { customer: { a: 1 } };
    show("{% increment customer %}{% assign site = 1 %}", scope);
    expect(scope).toEqual({ customer: { a: 1 } });
  });
});

describe("what a template needs", () => {
  it.each<[string, object]>([
    ["<b>Sale</b>", { personal: false, timed: false, traits: [] }],
    ["{{ site.id }}", { personal: false }],
    ["{{ 'now' | date: '%Y', 'UTC' }}", { personal: false, timed: true }],
    ["{{ '2026-01-01' | date: '%d.%m.%Y', site.timeZone }}", { personal: false, timed: false }],
    ["{{ '2026-01-01' | date: '%Y' }}", { personal: true, timed: false, context: true, traits: [] }],
    ["{{ '2026-01-01' | date: '%-d %b', 'UTC' }}", { personal: true, context: true }],
    ["{% assign f = '%b' %}{{ '2026-01-01' | date: f, 'UTC' }}", { personal: true, context: true }],
    ["{{ 'no' | append: 'w' | date: '%Y', 'UTC' }}", { personal: false, timed: true }],
    ["{% assign a = 'now' %}{{ a | date: '%Y', 'UTC' }}", { personal: false, timed: true }],
    ["{% assign k = 'customer' %}{{ [k].email }}", { personal: true, traits: null, cart: true, context: true }],
    ["{{ customer.address.city }}{{ customer['name'] }}", { personal: true, traits: ["address", "name"] }],
    ["{{ customer }}", { personal: true, traits: null }],
    ["{{ customer[site.id] }}", { personal: true, traits: null }],
    ["{% if segment.vip %}a{% endif %}", { personal: true, segments: ["vip"], traits: [] }],
    ["{% for p in product_recommendations %}a{% endfor %}", { personal: true, recommendations: true }],
    ["{{ site.id | append: cart.total }}", { personal: true, cart: true }],
    ["{% assign x = context.page.path %}", { personal: true, context: true }],
    ["{% if false %}{% assign customer = 1 %}{% endif %}{{ customer.email }}", { personal: true, traits: ["email"] }],
    ["{{ ['customer'].email }}", { personal: true }],
    ["{% assign c = customer %}{{ c.email }}", { personal: true, traits: null }],
    ["{% liquid echo customer.name %}", { personal: true, traits: ["name"] }],
    ["{% for i in (1..customer.n) %}a{% endfor %}", { personal: true, traits: ["n"] }],
    ["{% case customer.a %}{% when 1 %}b{% endcase %}", { personal: true, traits: ["a"] }],
    ["{% cycle customer.a, 'b' %}", { personal: true, traits: ["a"] }],
    ["{% tablerow p in cart.items %}a{% endtablerow %}", { personal: true, cart: true }],
  ])("%s", (source, expected) => {
    expect(variablesOf(parse(source))).toMatchObject(expected);
  });
});
