/** Tokens in bulk, as an e-mail service's importer asks for them. */
import { expect, it } from "vitest";
import type { ProblemError } from "../../../edge/problem.ts";
import { verifyToken } from "../../../edge/tokens.ts";
import { ingest, newSite, problemOf } from "../api/client.ts";
import { ask } from "../delivery/worker.ts";
import { bindings } from "../site.ts";

const DAY = 24 * 60 * 60 * 1000;

it("are in the order of the recipients, hold no address, and lead to the same decision when they are made again", async () => {
  const site = await newSite();
  await ingest(site, [
    { type: "identify", userId: "ann", messageId: "a", traits: { email: "ann@shop.example" } },
    { type: "identify", userId: "bob", messageId: "b", traits: { email: "bob@shop.example" } },
  ]);
  await site.post("/api/blocks", {
    key: "hero",
    slot: "hero",
    variants: [{ key: "a", audience: null, template: "<p>Hi</p>" }],
  });
  await site.post("/api/blocks/hero/publish");
  const recipients = [{ email: "bob@shop.example" }, { userId: "stranger" }, { userId: "ann" }];
  const make = async (more: object = {}): Promise<string[]> => {
    const tokens: { token: string }[] = await site.post("/api/email/tokens", { send: "spring", recipients, ...more });
    return tokens.map(({ token }) => token);
  };
  const [first, again] = [await make(), await make({ expiresInDays: 7 })];
  const decisionOf = async (token: string) => {
    const answer = await ask(bindings, `/e/${token}/hero.json`);
    return (await answer.json<{ decision: { id: string } }>()).decision.id;
  };
  const ids: string[][] = [];
  for (const tokens of [first, again]) ids.push(await Promise.all(tokens.map(decisionOf)));
  expect(ids[0]![0]).toBe(ids[1]![0]);
  expect(ids[0]![2]).toBe(ids[1]![2]);
  expect(new Set(ids.flat()).size).toBe(4);
  const said = await Promise.all([...first, ...again].map((token) => verifyToken(bindings, "email", token)));
  expect(said.map((it) => Math.round((it!.expiresAt - Date.now()) / DAY))).toEqual([400, 400, 400, 7, 7, 7]);
  expect(said.map((it) => it!.birthId === "")).toEqual([false, true, false, false, true, false]);
  expect(JSON.stringify(said)).not.toMatch(/@|ann|bob|stranger/);
});

it("are those of the digits, where an id is given as a number", async () => {
  const site = await newSite();
  await ingest(site, [{ type: "identify", userId: 42, messageId: "a" }]);
  const body = { send: "spring", recipients: [{ userId: 42 }, { userId: "42" }] };
  const tokens: { token: string }[] = await site.post("/api/email/tokens", body);
  const said = await Promise.all(tokens.map(({ token }) => verifyToken(bindings, "email", token)));
  expect(said[0]!.birthId).toMatch(/^p_/);
  expect(said[0]).toEqual(said[1]);
});

it.each([
  [{}, "", "malformed"],
  [null, "", "malformed"],
  ["ada", "", "malformed"],
  [["ada"], "", "malformed"],
  [{ userId: "a", email: "b@c.example" }, "", "malformed"],
  [{ email: null }, "/email", "empty"],
  [{ email: "" }, "/email", "empty"],
  [{ email: "no address" }, "/email", "malformed"],
  [{ userId: { $ne: 1 } }, "/userId", "malformed"],
  [{ userId: "anonymous" }, "/userId", "blocked"],
  [{ userId: "a".repeat(2_000) }, "/userId", "too-long"],
  [{ ["__proto__"]: "ada" }, "/__proto__", "kind"],
  [{ "shoe/size": 42 }, "/shoe~1size", "kind"],
])("%j among a thousand recipients costs nobody else a token", async (wrong, pointer, code) => {
  const site = await newSite();
  const recipients: unknown[] = Array.from({ length: 1_000 }, (_, index) => ({ userId: `u-${index}` }));
  recipients[500] = wrong;
  const answer: { token: string | null; error?: ProblemError }[] = await site.post("/api/email/tokens", {
    send: "spring",
    recipients,
  });
  expect(answer).toHaveLength(1_000);
  expect(answer[500]).toMatchObject({ token: null, error: { pointer: `/recipients/500${pointer}`, code } });
  const others = answer.filter((_, index) => index !== 500);
  expect(others.every(({ token, error }) => token && !error)).toBe(true);
});

it.each([
  [{ send: "" }, "/send"],
  [{ expiresInDays: 0 }, "/expiresInDays"],
  [{ expiresInDays: 401 }, "/expiresInDays"],
  [{ expiresInDays: 1.5 }, "/expiresInDays"],
  [{ recipients: [] }, "/recipients"],
  [{ recipients: Array.from({ length: 1_001 }, () => ({ userId: "a" })) }, "/recipients"],
])("%j is refused", async (more, pointer) => {
  const site = await newSite();
  const body = { send: "spring", recipients: [{ userId: "a" }], ...more };
  const problem = await problemOf(site.send("POST", "/api/email/tokens", body), "invalid-request");
  expect(problem.errors?.[0]?.pointer).toBe(pointer);
});
