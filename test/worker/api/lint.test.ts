import { describe, expect, it } from "vitest";
import { ingest, newSite, problemOf, VIEWED_TWICE } from "./client.ts";

const NEVER = {
  all: [
    { trait: "age", gt: 5 },
    { trait: "age", lt: 3 },
  ],
};
const seen = (findings: { code: string; pointer: string }[]) =>
  findings.map(({ code, pointer }) => `${code} ${pointer}`);

describe("a condition that is looked over", () => {
  it("is described, analyzed and told what is probably not meant", async () => {
    const site = await newSite();
    const condition = { all: [NEVER, { event: "A", days: { gte: 2 }, within: "7d" }] };
    expect(await site.post("/api/segments/lint", { condition })).toEqual({
      describe: '(age is more than 5 and age is less than 3) and did "A" on at least 2 days in the last 7 days',
      findings: [
        {
          code: "never-true",
          severity: "warning",
          pointer: "/condition/all/0",
          detail: expect.stringContaining("exclude each other"),
        },
        { code: "never-true", severity: "error", pointer: "/condition", detail: "Nobody matches this." },
      ],
      analysis: {
        events: [{ type: "track", event: "A", paths: [], inside: [] }],
        windowMs: 7 * 86_400_000,
        traits: ["age"],
        context: [],
        segments: [],
        purposes: ["analytics", "personalization"],
        runtime: "edge",
        edgeOnly: [{ pointer: "/all/1", what: "days" }],
        sampled: false,
      },
    });
  });

  it("is refused where it could not be saved, and told of segments that are not there or go round", async () => {
    const site = await newSite();
    const problem = await problemOf(
      site.send("POST", "/api/segments/lint", { condition: { and: [] } }),
      "invalid-condition",
    );
    expect(problem.errors?.[0]?.pointer).toBe("/condition");
    const { findings } = await site.post("/api/segments/lint", { condition: { segment: "gone" } });
    expect(findings).toMatchObject([{ code: "unknown-segment", severity: "error" }]);
    await site.post("/api/segments", { key: "b", name: "B", condition: { trait: "x", eq: 1 } });
    await site.post("/api/segments", { key: "a", name: "A", condition: { segment: "b" } });
    const round = await site.post("/api/segments/lint", { key: "b", condition: { segment: "a" } });
    expect(seen(round.findings)).toEqual(["cycle /condition"]);
  });

  it("is told of names that nobody has sent, with the nearest that somebody has", async () => {
    const site = await newSite();
    const condition = {
      any: [
        { event: "Product Viewd" },
        { event: "Product Viewed", where: { price: { gt: { trait: "plam" } } } },
        { type: "page", event: "Home" },
        { trait: "address.city", eq: "Amsterdam" },
        { trait: "plan", eq: "pro" },
      ],
    };
    expect((await site.post("/api/segments/lint", { condition })).findings).toEqual([]);
    await ingest(site, [
      { type: "track", event: "Product Viewed", messageId: "1", userId: "u" },
      { type: "identify", messageId: "2", userId: "u", traits: { plan: "pro" } },
    ]);
    const { findings } = await site.post("/api/segments/lint", { condition });
    expect(seen(findings)).toEqual([
      "unknown-event /condition/any/0",
      "unknown-trait /condition/any/1/where/price/gt",
      "unknown-trait /condition/any/3/trait",
    ]);
    expect(findings.map(({ detail }: { detail: string }) => detail.split(". ")[1])).toEqual([
      'Is "Product Viewed" meant?',
      'Is "plan" meant?',
      "Check its spelling.",
    ]);
    const other = await newSite();
    expect((await other.post("/api/segments/lint", { condition })).findings).toEqual([]);
  });
});

describe("a trait whose type a sender has changed", () => {
  it("is told of where a rule asks for one of its types", async () => {
    const site = await newSite();
    const identify = (zip: unknown) => ({ type: "identify", userId: "u", messageId: `${typeof zip}`, traits: { zip } });
    const hints = async () =>
      seen((await site.post("/api/segments/lint", { condition: { trait: "zip", eq: 123 } })).findings);
    await ingest(site, [identify(123)]);
    expect(await hints()).toEqual([]);
    await ingest(site, [identify("00123")]);
    expect(await hints()).toEqual(["other-type /condition/eq"]);
  });
});

describe("what is saved all the same", () => {
  it("is a segment, with its warnings", async () => {
    const site = await newSite();
    const created = await site.post("/api/segments", { key: "x", name: "X", condition: NEVER, status: "active" });
    expect(created).toMatchObject({ version: 1, warnings: [{ code: "never-true", pointer: "/condition" }] });
    const replaced = await site.put("/api/segments/x", { name: "X", condition: VIEWED_TWICE, status: "active" });
    expect(replaced).toMatchObject({ version: 2, warnings: [] });
    expect(await site.post("/api/segments", { key: "s", name: "S", kind: "static" })).toMatchObject({ warnings: [] });
  });

  it("is a block, with what its audiences hide and its templates leave empty", async () => {
    const site = await newSite();
    const variant = (key: string, audience: object | null, template: string) => ({ key, audience, template });
    await site.post("/api/blocks", {
      key: "hero",
      slot: "hero",
      variants: [
        variant("week", { event: "A", within: "7d" }, "Hi {{ customer.name }}"),
        variant("day", { event: "A", within: "24h", count: { gte: 2 } }, "Hi {{ customer.name | default: 'you' }}"),
        variant("none", NEVER, "{% if customer.city %}{{ customer.city }}{% endif %}\n{{ customer.plan | upcase }}"),
        variant("all", null, "x"),
      ],
      fallback: "{{ context.page.path }}",
    });
    const { warnings, liveVersion } = await site.post("/api/blocks/hero/publish");
    expect(liveVersion).toBe(1);
    expect(seen(warnings)).toEqual([
      "shadowed-variant /variants/1",
      "never-true /variants/2/audience",
      "no-default /variants/0/template",
      "no-default /variants/2/template",
      "no-default /fallback",
    ]);
    expect(warnings[3].detail).toContain("{{ customer.plan }} (line 2, column 1) is empty");
  });
});
