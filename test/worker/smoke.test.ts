import { env } from "cloudflare:test";
import { expect, it } from "vitest";

it("applies the migrations to D1", async () => {
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{ name: string }>();
  expect(results.map((row) => row.name)).toContain("events");
});
