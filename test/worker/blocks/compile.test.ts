/** The compiled renderer against liquidjs', and what a template is said to need against what it looks at: random templates and people. Widen with ATTUNE_CASES. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FILTERS } from "../../../edge/blocks/liquid/dialect.ts";
import { findUnsafeUrls } from "../../../edge/blocks/liquid/urls.ts";
import {
  checkTemplate,
  checkText,
  render,
  renderText,
  type Scope,
  type Template,
  type TextTemplate,
  type Variables,
  variablesOf,
} from "../../../edge/blocks/liquid.ts";

const RUNS = Number(process.env["ATTUNE_CASES"] ?? 1_500);
const MOMENT = { now: Date.UTC(2026, 2, 1, 23, 30), timeZone: "Europe/Berlin" };

const ROOTS = [
  "customer.a",
  "customer.b",
  "customer.list",
  "cart.items",
  "context",
  "site.name",
  "segment.vip",
  "x",
  "y",
  "p",
  "q",
];
const KEYS = ["a", "b", "name", "size", "first", "last", "constructor", "__proto__", "length", "0", "url"];
const LITERALS = [
  ...["''", "'a'", '"<b>"', "'javascript:'", "'now'", "'%Y %b'", "0", "1", "-2", "2.5", "10"],
  ...["true", "false", "nil", "empty", "blank"],
];
const OPERATORS = ["==", "!=", "<", ">", "<=", ">=", "contains", "and", "or"];
const TEXTS = [
  "a",
  " \n",
  "<b>",
  "</b>",
  "&amp;",
  '<a href="',
  '">',
  "' class='",
  "<!-- -->",
  "{% raw %}{{ a }}{% endraw %}",
];

const bracket = fc.oneof(
  fc.constantFrom(...KEYS.map((key) => `.${key}`)),
  fc.constantFrom("[0]", "[-1]", "['a']", "[customer.a]", "[x]", "[customer.list.first]"),
);
const path = fc
  .tuple(fc.constantFrom(...ROOTS, "forloop"), fc.array(bracket, { maxLength: 2 }))
  .map(([root, rest]) => root + rest.join(""));
const operand = fc.oneof(
  { weight: 4, arbitrary: path },
  { weight: 3, arbitrary: fc.constantFrom(...LITERALS) },
  { weight: 1, arbitrary: fc.tuple(path, path).map(([from, to]) => `(${from}..${to})`) },
  { weight: 1, arbitrary: fc.constantFrom("(1..3)", "(3..1)", "(1..2.9)", "(1..3).first", "'abc'.size") },
);
const filter = fc.constantFrom(...Object.keys(FILTERS)).chain((name) => {
  const { least, most, named = [] } = FILTERS[name]!;
  return fc
    .tuple(fc.array(operand, { minLength: least, maxLength: most }), fc.subarray([...named]), operand)
    .map(([given, byName, value]) => {
      const args = [...given, ...byName.map((key) => `${key}: ${value}`)];
      return args.length ? `${name}: ${args.join(", ")}` : name;
    });
});
const value = fc.tuple(operand, fc.array(filter, { maxLength: 2 })).map((parts) => parts.flat().join(" | "));
const test = fc.oneof(
  operand,
  fc
    .tuple(operand, fc.constantFrom(...OPERATORS), operand, fc.constantFrom(...OPERATORS), operand)
    .map((parts) => parts.join(" ")),
  fc.tuple(operand, fc.constantFrom(...OPERATORS), operand).map((parts) => parts.join(" ")),
  operand.map((one) => `not ${one}`),
);
const dash = fc.constantFrom("", "", "", "-");
const tag = (text: fc.Arbitrary<string>) =>
  fc.tuple(dash, text, dash).map(([left, inner, right]) => `{%${left} ${inner} ${right}%}`);
const say = (text: string) => tag(fc.constant(text));
const name = fc.constantFrom("x", "y");

const { nodes } = fc.letrec<{ node: string; nodes: string }>((tie) => ({
  nodes: fc.array(tie("node"), { maxLength: 4 }).map((parts) => parts.join("")),
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.tuple(dash, value, dash).map(([left, inner, right]) => `{{${left} ${inner} ${right}}}`),
    fc.constantFrom(...TEXTS),
    value.map((inner) => `<a href="${"{{"}${inner}}}">`),
    fc
      .tuple(value, value, fc.constantFrom("echo", "cycle 1,", "liquid echo"))
      .map(
        ([one, other, name]) =>
          `<p style="color: {{ ${one} }}; width: {% ${name} ${other} %}; mask: url({{ ${one} }})">`,
      ),
    fc
      .tuple(tie("nodes"), fc.constantFrom('"', "'"))
      .map(([inner, quote]) => `<img src=${quote}${inner}${quote} alt="{{ x }}">`),
    tag(fc.tuple(name, value).map(([to, from]) => `assign ${to} = ${from}`)),
    tag(value.map((inner) => `echo ${inner}`)),
    tag(fc.tuple(value, value).map((both) => `cycle ${both.join(", ")}`)),
    tag(fc.constantFrom("increment x", "decrement customer", "break", "continue", "# note", "increment n")),
    fc.tuple(say("comment"), tie("nodes"), say("endcomment")).map((parts) => parts.join("")),
    fc.tuple(tag(name.map((to) => `capture ${to}`)), tie("nodes"), say("endcapture")).map((parts) => parts.join("")),
    fc
      .tuple(
        tag(test.map((one) => `if ${one}`)),
        tie("nodes"),
        tag(test.map((one) => `elsif ${one}`)),
        tie("nodes"),
        say("else"),
        tie("nodes"),
        say("endif"),
      )
      .map((parts) => parts.join("")),
    fc.tuple(tag(test.map((one) => `unless ${one}`)), tie("nodes"), say("endunless")).map((parts) => parts.join("")),
    fc
      .tuple(
        tag(value.map((one) => `case ${one}`)),
        tag(fc.tuple(operand, operand).map((both) => `when ${both.join(", ")}`)),
        tie("nodes"),
        tag(operand.map((one) => `when ${one}`)),
        tie("nodes"),
        say("else"),
        tie("nodes"),
        say("endcase"),
      )
      .map((parts) => parts.join("")),
    fc
      .tuple(
        tag(
          fc
            .tuple(
              fc.constantFrom("p", "q", "x"),
              operand,
              fc.constantFrom(
                "",
                " limit: 2",
                " offset: 1",
                " reversed",
                " limit: x, offset: customer.a",
                " reversed limit: 1",
              ),
            )
            .map(([item, list, rest]) => `for ${item} in ${list}${rest}`),
        ),
        tie("nodes"),
        say("else"),
        tie("nodes"),
        say("endfor"),
      )
      .map((parts) => parts.join("")),
    fc
      .tuple(
        fc.constantFrom("'now'", "0", "customer.a", "x"),
        fc.constantFrom("'%H'", "'%b %Z'", "x"),
        fc.constantFrom("", ", 'UTC'", ", x"),
      )
      .map(([at, format, zone]) => `{{ ${at} | date: ${format}${zone} }}`),
    fc
      .tuple(tie("nodes"), test, fc.constantFrom("break", "continue"), tie("nodes"))
      .map(
        ([before, one, leave, after]) =>
          `{% for p in (1..3) %}${before}{{ p }}{% if p == 2 or ${one} %}{% ${leave} %}{% endif %}${after}-{% endfor %}`,
      ),
    fc
      .tuple(name, value, test)
      .map(([to, from, one]) => `{% liquid\n assign ${to} = ${from}\n if ${one}\n echo ${to}\n endif\n%}`),
  ),
}));

const json = fc.oneof(
  fc.constantFrom<unknown>(
    "",
    "a",
    "<b>",
    "javascript:alert(1)",
    "https://a.example/?a=1&b",
    0,
    1,
    -3,
    2.5,
    true,
    false,
    null,
    "12",
    " ",
  ),
  fc.array(
    fc.oneof(
      fc.constantFrom<unknown>("a", "b", 1, 2, null, "<"),
      fc.record({ a: fc.constantFrom(1, 2, "x"), name: fc.string() }),
    ),
    { maxLength: 4 },
  ),
  fc.dictionary(fc.constantFrom("a", "b", "name", "size"), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
);
const scope = fc.record(
  {
    customer: fc.record({ a: json, b: json, list: json }, { requiredKeys: [] }),
    cart: fc.record({
      items: fc.array(fc.record({ name: fc.string(), price: fc.integer(), url: fc.webUrl() }), { maxLength: 3 }),
    }),
    segment: fc.record({ vip: fc.boolean() }),
    context: fc.record(
      { timezone: fc.constantFrom("Asia/Tokyo", "no zone"), locale: fc.constantFrom("de", "xx-nonsense-", "fr-FR") },
      { requiredKeys: [] },
    ),
    site: fc.record({ name: fc.constant("Shop & Co") }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Scope>;

function outcome(template: Template | TextTemplate, scope: Scope): string | null {
  const rendered = template.form === "html" ? render(template, scope, MOMENT) : renderText(template, scope, MOMENT);
  return rendered.error === undefined
    ? "html" in rendered
      ? rendered.html!
      : (rendered as { text: string }).text
    : null;
}

/** One person as far as it is needed, and another person for the rest. */
function mix({ traits, segments, cart, context }: Variables, one: Scope, other: Scope): Scope {
  const mixNames = (names: string[] | null, mine: object = {}, theirs: object = {}) => {
    if (names === null) return mine;
    const isNeeded = ([name]: [string, unknown]) => names.includes(name);
    const rest = Object.entries(theirs).filter((entry) => !isNeeded(entry));
    return Object.fromEntries([...Object.entries(mine).filter(isNeeded), ...rest]);
  };
  const mixed = {
    site: one.site,
    customer: traits === null ? one.customer : mixNames(traits, one.customer, other.customer),
    segment: segments === null ? one.segment : mixNames(segments, one.segment, other.segment),
    cart: cart ? one.cart : other.cart,
    context: context ? one.context : other.context,
  };
  return Object.fromEntries(Object.entries(mixed).filter(([, value]) => value !== undefined)) as Scope;
}

it("what is compiled makes what liquidjs makes, and fails where it fails", () => {
  const seen = { compiled: 0, failed: 0, refused: 0 };
  fc.assert(
    fc.property(nodes, scope, scope, fc.boolean(), (source, scope, other, isText) => {
      const checked = isText ? checkText(source) : checkTemplate(source);
      if ("errors" in checked || !checked.template.compiled) {
        seen.refused++;
        return;
      }
      const { template } = checked;
      const before = JSON.stringify(scope);
      const compiled = outcome(template, scope);
      seen.compiled++;
      if (compiled === null) seen.failed++;
      expect(compiled).toBe(outcome({ ...template, compiled: null }, scope));
      expect(JSON.stringify(scope)).toBe(before);
      // What it is said to need is all that it looks at: others may differ in the rest.
      expect(outcome(template, mix(variablesOf(template), scope, other))).toBe(compiled);
    }),
    { numRuns: RUNS },
  );
  expect(seen.compiled).toBeGreaterThan(RUNS / 3);
  expect(seen.compiled - seen.failed).toBeGreaterThan(RUNS / 5);
}, 120_000);

describe("no URL runs, whether it is looked over by itself or with the whole page", () => {
  const customer = { x: "javascript:alert(1)", y: "script:alert(1)", list: ["java", "script:", "alert(1)"], yes: true };
  it.each<[string, boolean]>([
    ['<a href="{{ customer.x }}">', true],
    ["<a title='a' HREF = ' {{ customer.x }}' class=\"{{ customer.x }}\">", true],
    ['<a href="{% if customer.yes %}java{% else %}/{% endif %}{{ customer.y }}">', true],
    ['<a href="{% for part in customer.list %}{{ part }}{% endfor %}">', true],
    ['<a {% if customer.yes %}href="{{ customer.x }}"{% endif %}>', true],
    ['{% for part in customer.list %}<a href="java{{ customer.y }}"><img src="{{ customer.x }}">{% endfor %}', true],
    ['{% capture url %}java{{ customer.y }}{% endcapture %}<a href="{{ url }}">', true],
    ['<a href="{% liquid\n echo customer.x\n%}">', true],
    ['<a href="java{%- assign a = 1 -%}\n{{ customer.y }}">', true],
    ['<a href="{% comment %}"{% endcomment %}{{ customer.x }}">', true],
    ['<a href="{% if customer.yes %}{{ customer.x }}">{% else %}/">{% endif %}</a>', false],
    [
      '{% for part in customer.list %}<a href="{{ customer.x }}{% if part == "java" %}{% continue %}{% endif %}">{% endfor %}',
      false,
    ],
  ])("%s", (source, byItself) => {
    const checked = checkTemplate(source);
    if ("errors" in checked) throw new Error(checked.errors[0]!.detail);
    const { template } = checked;
    expect(template.compiled?.checksUrls).toBe(byItself);
    const html = outcome(template, { customer })!;
    expect(html).toMatch(/=\s*"#"/);
    expect(findUnsafeUrls(html)).toEqual([]);
    expect(html).toBe(outcome({ ...template, compiled: null }, { customer }));
  });
});
