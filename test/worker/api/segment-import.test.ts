import { expect, it } from "vitest";
import { newSite, problemOf } from "./client.ts";

it("translates a condition, says what it means and where it is decided, and the segment can be made of it", async () => {
  const site = await newSite();
  const imported = await site.post("/api/segments/import", {
    format: "mongo",
    condition: { "app.version": { $vgte: "2.1.0" }, plan: { $ne: "free" }, id: { $notInGroup: "staff" } },
    savedGroups: { staff: ["u1"] },
  });
  expect(imported).toEqual({
    condition: {
      all: [
        { trait: "app.version", version: { gte: "2.1.0" } },
        { trait: "plan", ne: "free" },
        {
          not: {
            any: [
              { trait: "id", in: ["u1"] },
              { trait: "id", any: { in: ["u1"] } },
            ],
          },
        },
      ],
    },
    describe: expect.stringMatching(/^app\.version as a version .* and plan is not "free" and not \(/),
    runtime: "edge",
  });
  const { condition } = imported;
  await site.post("/api/segments", { key: "current", name: "Current", condition, status: "active" });
  const ask = (version: string) =>
    site.post("/api/segments/preview", {
      condition: { segment: "current" },
      profile: { traits: { app: { version } } },
    });
  expect(await ask("2.10.0")).toMatchObject({ value: true, until: null });
  expect(await ask("2.1.0-rc.1")).toMatchObject({ value: false });
});

it("says of a strict equality that the browser can decide it", async () => {
  const site = await newSite();
  const condition = { plan: { $eq: "pro" } };
  expect(await site.post("/api/segments/import", { format: "mongo", condition })).toEqual({
    condition: { trait: "plan", eq: "pro" },
    describe: 'plan is "pro"',
    runtime: "browser",
  });
});

it("refuses with a pointer to each place, and what to do instead", async () => {
  const site = await newSite();
  const condition = { $or: [{ a: { $regex: "^(a+)+$" } }, { address: { city: "Lisbon" } }] };
  const problem = await problemOf(
    site.send("POST", "/api/segments/import", { format: "mongo", condition }),
    "invalid-condition",
  );
  expect(problem.errors).toEqual([
    { pointer: "/condition/$or/0/a/$regex", code: "pattern", detail: expect.stringContaining("startsWith") },
    { pointer: "/condition/$or/1/address", code: "object", detail: expect.stringContaining("address.city") },
  ]);
});

it.each([
  [{ format: "mongo" }, "invalid-request", "/condition"],
  ['{"format":"mongo","condition":{"a":1,"__proto__":{"$eq":1}}}', "invalid-condition", "/condition/__proto__"],
  [
    `{"format":"mongo","condition":${'{"$not":'.repeat(30_000)}{}${"}".repeat(30_000)}}`,
    "invalid-condition",
    "/condition",
  ],
  [{ format: "cel", condition: {} }, "invalid-request", "/format"],
  [{ format: "mongo", condition: {}, savedGroups: [] }, "invalid-request", "/savedGroups"],
] as const)("refuses what is no import %#", async (body, slug, pointer) => {
  const site = await newSite();
  const { errors } = await problemOf(site.send("POST", "/api/segments/import", body), slug);
  expect(errors![0]!.pointer.startsWith(pointer)).toBe(true);
});
