/** Templates that mean harm: each is refused or stopped after bounded work, by both renderers. */
import { describe, expect, it } from "vitest";
import { checkTemplate, checkText, render, renderText, type Scope } from "../../../edge/blocks/liquid.ts";

const MOMENT = { now: 0, timeZone: "UTC" };
const LONG = "a".repeat(60_000);
const SCOPE: Scope = {
  customer: {
    name: "Ada",
    evil: "%0".repeat(100_000),
    far: 2 ** 53,
    infinite: "1e999",
    list: Array.from({ length: 500 }, (_, i) => i),
  },
  cart: { items: Array.from({ length: 100 }, (_, i) => ({ name: `n${i}`, price: i, url: "/" })) },
};
/** A list that holds itself many times over: small to keep, endless to write. */
const GROWN = `{% assign a = customer.list | push: 1 %}${"{% assign a = a | push: a %}".repeat(60)}`;
const GROUPED = `{% assign a = cart.items %}${"{% assign a = a | concat: a | group_by: 'x' %}".repeat(60)}`;
const TEXT = `{% assign t = 'aaaaaaaaaa' %}${"{% assign t = t | append: t %}".repeat(16)}`;
const LOOP = (inner: string) => `{% for i in (1..9000) %}${inner}{% endfor %}`;

/** What comes of it, compiled and not: never an exception. */
function attack(source: string): string[] {
  const outcomes: string[] = [];
  for (const [check, show] of [
    [checkTemplate, render],
    [checkText, renderText],
  ] as const) {
    const checked = check(source);
    if ("errors" in checked) {
      outcomes.push("refused");
      continue;
    }
    for (const template of [checked.template, { ...checked.template, compiled: null }]) {
      const { error } = (show as typeof render)(template as never, SCOPE, MOMENT);
      outcomes.push(error === undefined ? "rendered" : "stopped");
    }
  }
  return [...new Set(outcomes)];
}

describe("is stopped", () => {
  it.each([
    ["a loop for ever", "{% for i in (1..100000000) %}a{% endfor %}"],
    [
      "ranges in ranges",
      "{% for a in (1..900) %}{% for b in (1..900) %}{% for c in (1..900) %}{% endfor %}{% endfor %}{% endfor %}",
    ],
    [
      "a range of numbers that are not told apart",
      "{% for i in (9007199254740992..9007199254740993) %}a{% endfor %}{{ (1..customer.infinite) | size }}{{ (-999999999..1) }}",
    ],
    ["a range made of values", "{% assign r = (1..customer.far) %}"],
    ["a text that doubles", TEXT.repeat(3)],
    [
      "a text that is captured twice over",
      `{% assign a = 'aaaaaaaaaa' %}${"{% capture a %}{{ a }}{{ a }}{% endcapture %}".repeat(40)}`,
    ],
    [
      "a page that is captured again and again",
      `{% for i in (1..9000) %}{% capture a %}{{ a }}${"x".repeat(900)}{% endcapture %}{% endfor %}`,
    ],
    ["a text without end inside a capture", `{% capture a %}${LOOP("x".repeat(500))}{% endcapture %}`],
    ["output without end", LOOP("x".repeat(500))],
    ["output without end in a URL", `<a href="${LOOP("x".repeat(500))}">`],
    ["a list that holds itself, written", `${GROWN}{{ a }}`],
    ["a list that holds itself, joined", `${GROWN}{{ a | join }}`],
    ["a list that holds itself, compared", `${GROWN}{% if a == a %}{% endif %}`],
    ["a list that holds itself, as a text", `${GROWN}{{ a | upcase }}`],
    ["a list that holds itself, sorted", `${GROWN}{{ a | sort }}{{ a | sum }}{{ a | uniq }}`],
    ["a list that holds itself, in a case", `${GROWN}{% case a %}{% when a %}{% endcase %}`],
    ["groups of groups, as JSON", `${GROUPED}{{ a | json }}`],
    ["groups of groups, written", `${GROUPED}{{ a }}`],
    ["a search for long in long", `${TEXT}{% assign u = 'b' | append: t %}${LOOP("{% if t contains u %}{% endif %}")}`],
    ["long lists, again and again", LOOP("{{ customer.list | reverse | sort | uniq | join | size }}")],
    ["many filters, again and again", LOOP(`{{ customer.name ${"| size ".repeat(2_000)}}}`)],
    ["many comparisons, again and again", LOOP(`{% if 1 == 2 ${"or 1 == 2 ".repeat(1_000)}%}{% endif %}`)],
    ["a date that is padded", "{{ 'now' | date: '%999999999d' }}"],
    [
      "a text that is truncated far out",
      "{{ 'a' | slice: 0, 99 | append: customer.evil | append: customer.evil | replace: '0', customer.evil }}",
    ],
    ["replacing nothing", `${TEXT}{{ t | replace: '', t }}`],
    ["a split into characters", `${TEXT}${LOOP("{% assign s = t | split: '' %}")}`],
  ])("%s", (_name, source) => {
    expect(attack(source)).toEqual(["stopped"]);
  });
});

describe("is refused", () => {
  it.each([
    ["a thousand tags deep", "{% if true %}".repeat(1_000) + "{% endif %}".repeat(1_000)],
    ["a thousand lines deep in a liquid tag", `{% liquid\n${"if true\n".repeat(3_000)}${"endif\n".repeat(3_000)}%}`],
    ["ten thousand brackets deep", `{{ ${"a[".repeat(10_000)}b${"]".repeat(10_000)} }}`],
    ["ten thousand ranges deep", `{{ ${"(1..".repeat(10_000)}2${")".repeat(10_000)} }}`],
    ["a path of ten thousand names", `{{ customer${".a".repeat(10_000)} }}`],
    ["names of JavaScript as tags", "{% constructor %}"],
    ["names of JavaScript as other tags", "{% __proto__ %}{% toString %}"],
    ["names of JavaScript as filters", "{{ 'a' | constructor }}"],
    ["names of JavaScript as other filters", "{{ 'a' | toString }}"],
    ["names of JavaScript as filters of a cycle", "{% cycle 'a' | valueOf, 'b' | nope %}"],
    ["filters that there are not any more", "{{ 'a' | raw }}"],
    ["filters of liquidjs' own", "{{ 'a' | range bound }}"],
  ])("%s", (_name, source) => {
    expect(attack(source)).toEqual(["refused"]);
  });
});

describe("is rendered, and finds nothing", () => {
  it.each([
    [
      "prototypes by path",
      "{{ customer.constructor }}{{ customer.__proto__ }}{{ customer['__proto__'].polluted }}{{ cart.items.map }}{{ customer.name.constructor.name }}",
    ],
    [
      "prototypes by value",
      "{% assign k = '__proto__' %}{{ customer[k] }}{{ cart[k][k] }}{{ cart.items[0][k] }}{{ [k] }}{{ constructor }}{{ toString }}",
    ],
    [
      "prototypes by map",
      "{{ cart.items | map: '__proto__' | compact | size | minus: 0 | replace: '0', '' }}{{ cart.items | map: 'constructor.name' | join: '' }}",
    ],
    [
      "prototypes by where",
      "{{ cart.items | where: '__proto__' }}{{ cart.items | where: 'constructor' }}{{ cart.items | find: 'toString' }}{{ cart.items | where: '[constructor]' }}",
    ],
    [
      "prototypes by sort and sum",
      "{% assign a = cart.items | sort: '__proto__' %}{% assign b = cart.items | sort_natural: 'constructor.prototype' %}{{ cart.items | sum: 'constructor' | replace: '0', '' }}",
    ],
    ["prototypes by group", "{% assign g = cart.items | group_by: '__proto__' %}{{ g[0].name }}{{ g[0].constructor }}"],
    [
      "methods of a loop",
      "{% for i in (1..1) %}{{ forloop.constructor }}{{ forloop.valueOf }}{{ forloop.__proto__ }}{{ forloop.liquidMethodMissing }}{{ forloop.hasOwnProperty }}{% endfor %}",
    ],
    [
      "methods of a row",
      "{% tablerow i in empty %}{% endtablerow %}{% tablerow i in (1..1) %}{{ tablerowloop.constructor }}{% endtablerow %}",
    ],
  ])("%s", (_name, source) => {
    expect(attack(source)).toEqual(["rendered"]);
    const checked = checkText(source);
    if ("errors" in checked) throw new Error(checked.errors[0]!.detail);
    for (const template of [checked.template, { ...checked.template, compiled: null }]) {
      expect(renderText(template, SCOPE, MOMENT).text?.replace(/<\/?t[rd][^>]*>\n?/g, "")).toBe("");
    }
  });
});

it.each([
  [
    "formats of dates",
    `{{ 'now' | date: '%${"0".repeat(60_000)}\n' }}{{ 'now' | date: customer.evil }}{{ '${LONG}' | date }}`,
  ],
  [
    "zones and languages",
    `{{ 'now' | date: '%c', '${LONG}' }}{{ 'now' | date: '%Z', customer }}{{ 'now' | date: '%H', 1e9 }}`,
  ],
  [
    "times that there are not",
    "{{ 8640000000001 | date }}{{ '99999999999999999999' | date }}{{ '-271822-01-01' | date }}{{ customer | date }}{{ nil | date }}",
  ],
  [
    "blanks and brackets for patterns to trip over",
    `{{ '${" ".repeat(50_000)}' | strip | squish | strip_html | truncatewords: 3 | split: ' ' | slugify }}`,
  ],
  ["tags that are not closed", `{{ '${"<!--<script<style".repeat(3_000)}' | strip_html | size }}`],
  ["entities", `{{ '${"&amp;#1".repeat(6_000)}' | escape_once | size }}`],
  [
    "amounts",
    "{{ 1e308 | times: 10 | money: 'EUR', 'de' }}{{ 1 | money: customer, cart }}{{ 1 | divided_by: 0.000001 | money }}",
  ],
  ["attributes", `<a href="${"&#x6a;".repeat(5_000)}{{ customer.name }}">${"<a href='".repeat(2_000)}`],
  ["a thousand attributes", `<a ${'href="{{ customer.name }}" '.repeat(2_000)}>`],
  ["outputs, and nothing else", "{{ a }}".repeat(9_000)],
  ["errors, and nothing else", "<a {{ a }}>".repeat(5_000)],
])(
  "%s take bounded time",
  (_name, source) => {
    expect(attack(source).length).toBeGreaterThan(0);
  },
  5_000,
);
