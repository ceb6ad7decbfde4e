import { describe, expect, it } from "vitest";
import { checkTemplate, pathsOf, unknownPathsOf } from "../../../edge/blocks/liquid.ts";

function parse(source: string) {
  const checked = checkTemplate(source);
  if ("errors" in checked) throw new Error(JSON.stringify(checked.errors));
  return checked.template;
}

const show = ({ path, line, column }: { path: string; line: number; column: number }) => `${path} ${line}:${column}`;

describe("what a template looks at is told with line and column", () => {
  it.each<[string, string[]]>([
    [
      "Hi {{ customer.name }}\n {{customer['first name'] | upcase}}",
      ["customer.name 1:7", 'customer["first name"] 2:4'],
    ],
    ["{{ cart.items[0].name | append: site.name }}", ["cart.items[0].name 1:4", "site.name 1:33"]],
    ["{{ customer.list[customer.key].a }}", ["customer.list[…].a 1:4", "customer.key 1:18"]],
    [
      "{% if segment.vip and customer.age > 3 %}{% elsif context.a %}{% endif %}",
      ["segment.vip 1:7", "customer.age 1:23", "context.a 1:51"],
    ],
    [
      "{% for p in cart.items limit: customer.n %}{{ p.name }}{% endfor %}",
      ["cart.items 1:13", "customer.n 1:31", "p.name 1:47"],
    ],
    ["{% case customer.a %}{% when customer.b, 1 %}{% endcase %}", ["customer.a 1:9", "customer.b 1:30"]],
    ["{% cycle customer.g: customer.a, 'b' %}", ["customer.g 1:10", "customer.a 1:22"]],
    ["{% liquid\n  echo customer.a | plus: customer.b\n%}", ["customer.a 2:8", "customer.b 2:27"]],
    ["{% for i in (1..customer.n) %}{% endfor %}", ["customer.n 1:17"]],
    ["{{ a | default: b, allow_false: c }}", ["a 1:4", "b 1:17", "c 1:33"]],
    ["{{ ['customer'].email }}{{ [customer.x].y }}", ["customer.email 1:4", "[…].y 1:28", "customer.x 1:29"]],
    ["{% comment %}{{ a }}{% endcomment %}{% raw %}{{ b }}{% endraw %}", []],
  ])("%j", (source, expected) => {
    expect(pathsOf(parse(source)).map(show)).toEqual(expected);
  });
});

describe("names that neither the scope nor the template has", () => {
  it.each<[string, string[]]>([
    ["{{ customer.a }}{{ segment.a }}{{ cart.a }}{{ product_recommendations[0] }}{{ context.a }}{{ site.a }}", []],
    ["{{ custmer.name }}\n{{ a | append: b.c }}", ["custmer.name 1:4", "a 2:4", "b.c 2:16"]],
    ["{% assign a = 1 %}{{ a }}{% capture b %}{% endcapture %}{{ b }}{% increment c %}{{ c }}", []],
    ["{% for p in cart.items offset: continue %}{{ p }}{{ forloop.index }}{% endfor %}{{ p }}", ["p 1:84"]],
    ["{% tablerow p in cart.items %}{{ p }}{{ tablerowloop.col }}{% endtablerow %}", []],
    ["{{ forloop.index }}{{ continue }}", ["forloop.index 1:4", "continue 1:23"]],
  ])("in %j", (source, expected) => {
    expect(unknownPathsOf(parse(source)).map(show)).toEqual(expected);
  });
});
