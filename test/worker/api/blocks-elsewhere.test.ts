/** Templates as other tools have them: what is told leads to how it is written here. */
import { expect, it } from "vitest";
import { newSite, problemOf } from "./client.ts";

const block = (template: string) => ({ key: "b", slot: "hero", variants: [{ key: "all", audience: null, template }] });

it.each([
  ["{{ a | money_with_currency }}", "money"],
  ["{{ a | format_date_string: '%d' }}", "date"],
  ["{{ person | lookup: 'First Name' }}", 'customer["…"]'],
  // As Braze writes a trait.
  ["{{$" + "{first_name}}}", "customer.first_name"],
])("%s is refused with what does the same", async (template, meant) => {
  const site = await newSite();
  const { errors } = await problemOf(site.send("POST", "/api/blocks", block(template)), "invalid-template");
  expect(errors![0]!.detail).toMatch(/line 1/);
  expect(errors![0]!.detail.endsWith(`. Is ${meant} meant?`), errors![0]!.detail).toBe(true);
});

it.each(["person", "user", "profile"])("%s.first_name is told to be customer.first_name", async (root) => {
  const site = await newSite();
  const { warnings } = await site.post("/api/blocks", block(`{{ ${root}.first_name | default: "you" }}`));
  expect(warnings).toMatchObject([
    { code: "unknown-variable", detail: expect.stringMatching(/a trait is customer\.first_name\.$/) },
  ]);
});
