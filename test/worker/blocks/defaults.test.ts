import { expect, it } from "vitest";
import { findBare } from "../../../edge/blocks/liquid/defaults.ts";
import { checkTemplate } from "../../../edge/blocks/liquid.ts";

function bareIn(source: string): string[] {
  const checked = checkTemplate(source);
  if ("errors" in checked) throw new Error(checked.errors[0]!.detail);
  return findBare(checked.template.nodes).map(({ path, line, column }) => `${path} ${line}:${column}`);
}

it.each([
  ["Hi {{ customer.name }}", ["customer.name 1:4"]],
  ["Hi {{ customer['first name'] | upcase }}", ["customer.first name 1:4"]],
  ["Hi {{ customer.name | default: 'you' }}, {{ customer.name | upcase | default: 'you' }}", []],
  ["{{ context.page.path }}\n {{ site.id }}{{ segment.vip }}{{ cart.total }}", ["context.page.path 1:1"]],
  ["{% if customer.name %}{{ customer.name }}{% else %}you{% endif %}", []],
  ["{% if customer.name %}{{ customer.city }}{% endif %}", ["customer.city 1:23"]],
  [
    "{% if segment.vip and customer.city != blank %}{{ customer.city }}{% endif %}{{ customer.city }}",
    ["customer.city 1:78"],
  ],
  ["{% case customer.plan %}{% when 'pro' %}{{ customer.plan }}{% endcase %}", []],
  ["{% for tag in customer.tags %}{{ tag }}{{ customer.name }}{% endfor %}", ["customer.name 1:40"]],
  [
    "{% if customer.a %}{% for i in (1..2) %}{{ customer.a }}{{ customer.b }}{% endfor %}{% endif %}",
    ["customer.b 1:57"],
  ],
  ["{% comment %}{{ customer.name }}{% endcomment %}{% raw %}{{ customer.name }}{% endraw %}", []],
  ["{% assign name = customer.name | default: 'you' %}{{ name }}", []],
  ["{{ customer[customer.key] }}", ["customer 1:1"]],
  ["{{ customer.list[0].name }}", ["customer.list 1:1"]],
  ["no values", []],
] as const)("finds in %j what is not known of everybody and has no default", (source, found) => {
  expect(bareIn(source)).toEqual(found);
});
