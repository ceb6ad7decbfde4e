import { expect, test } from "vitest";
import { findProduct, PRODUCTS, searchProducts } from "../../../client/demo/catalogue.ts";
import { BLOCKS, SEGMENTS } from "../../../client/demo/seed.ts";

test("each product has an id of its own, and search finds it by its name", () => {
  expect(new Set(PRODUCTS.map(({ id }) => id)).size).toBe(18);
  for (const product of PRODUCTS) expect(searchProducts(product.name)).toContain(product);
  expect(searchProducts("  ")).toEqual([]);
  expect(searchProducts("down bag")).toEqual([findProduct("hollow-bag")]);
});

test("blocks look at seeded segments only, and link to products and categories that exist", () => {
  const keys = new Set(SEGMENTS.map(({ key }) => key));
  for (const { variants } of BLOCKS) {
    for (const { audience, template } of variants) {
      expect(keys).toContain((audience as { segment: string }).segment);
      for (const [, id] of template.matchAll(/"product\?id=([a-z0-9-]+)/g)) expect(findProduct(id!)).toBeDefined();
      for (const [, id] of template.matchAll(/\/demo\/art\/(?!scene-)([a-z0-9-]+)\.svg/g))
        expect(findProduct(id!)).toBeDefined();
      for (const [, key] of template.matchAll(/category\?c=([a-z]+)/g)) {
        expect(PRODUCTS.some(({ category }) => category === key)).toBe(true);
      }
    }
  }
});
