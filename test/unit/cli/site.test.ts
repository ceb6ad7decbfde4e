import { expect, test } from "vitest";
import { readOrigin } from "../../../cli/site.ts";

test.each([
  ["shop.example", "https://shop.example"],
  ["https://shop.example/path?q", "https://shop.example"],
  ["shop.example:8443", "https://shop.example:8443"],
  ["localhost:3000", "http://localhost:3000"],
  ["127.0.0.1:3000", "http://127.0.0.1:3000"],
])("%s is the origin %s", (domain, origin) => {
  expect(readOrigin(domain)).toBe(origin);
});

test.each(["shop", "a b", "https://", ""])("%j is refused in one line", (domain) => {
  expect(() => readOrigin(domain)).toThrow(/^".*" is not a domain: .*\.$/);
});
