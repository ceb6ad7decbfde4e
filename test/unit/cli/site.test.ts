import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ROOT } from "../../../cli/project.ts";
import { readOrigin, STUB } from "../../../cli/site.ts";

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

test("the stub that is printed for a site is the one of the README, and of the shop", async () => {
  const [readme, shop] = await Promise.all(
    ["README.md", "client/demo/layout.html"].map((file) => readFile(`${ROOT}${file}`, "utf8")),
  );
  expect(readme).toContain(STUB);
  expect(shop).toContain(STUB.replace(/.*\/\/.*\n/, "").replace(/^ {2}/gm, ""));
});
