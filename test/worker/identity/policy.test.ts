import { describe, expect, it } from "vitest";
import { buildPolicy } from "../../../edge/identity/policy.ts";
import { readNames } from "../../../edge/ingest/names.ts";
import { createRandom } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";

const rule = (kind: string, limit = 5) => ({ kind, limit, window: "ever" as const });
const SHOP = {
  kinds: [rule("userId", 1), rule("loyalty"), rule("email"), rule("constructor"), rule("anonymousId")],
  blocked: [
    { pattern: "house-*" },
    { kind: "loyalty", pattern: "*-demo" },
    { kind: "email", pattern: "*@shop.example" },
    { kind: "email", pattern: "boss@home.example" },
  ],
};

describe("a value", () => {
  const policy = buildPolicy(SHOP);

  it.each([
    ["userId", " u 1 ", "userId:u 1"],
    ["userId", 42, "userId:42"],
    ["loyalty", "A:1", "loyalty:A:1"],
    ["email", "Ann@Bücher.example", "email:ann@xn--bcher-kva.example"],
    ["constructor", "c1", "constructor:c1"],
    ["anonymousId", "x-demo", "anonymousId:x-demo"],
    // Nobody is blocked by the words of a new site where a site has its own.
    ["userId", "guest", "userId:guest"],
  ])("of %s, %j, is %s", (kind, value, identifier) => {
    expect(policy.check(kind, value)).toEqual({ identifier });
    expect(policy.identifierOf(kind, value)).toBe(identifier);
  });

  it.each([
    ["phone", "+4930123456", "kind"],
    ["__proto__", "x", "kind"],
    ["toString", "x", "kind"],
    ["userId", undefined, "empty"],
    ["userId", null, "empty"],
    ["userId", "  ", "empty"],
    ["userId", "0000-0000", "blocked"],
    ["userId", "Undefined", "blocked"],
    ["userId", Number.NaN, "blocked"],
    ["userId", "HOUSE-7", "blocked"],
    ["loyalty", "x-Demo", "blocked"],
    ["email", "Info@SHOP.example", "blocked"],
    ["email", '"info"@shop.example', "blocked"],
    ["email", '"boss"@home.example', "blocked"],
    ["email", "info", "malformed"],
    ["userId", {}, "malformed"],
    ["userId", true, "malformed"],
    ["userId", ["u"], "malformed"],
    ["userId", "a\u0000b", "malformed"],
    ["userId", "\ud83d", "malformed"],
    ["userId", "x".repeat(257), "too-long"],
  ])("of %s, %j, is refused: %s", (kind, value, refused) => {
    expect(policy.check(kind, value)).toEqual({ refused });
    expect(policy.identifierOf(kind, value)).toBeNull();
  });

  it("is refused on a new site where it is a word for nobody", () => {
    const plain = buildPolicy();
    const words = ["anonymous", "Guest", "N/A", "none", "unknown", "test@example.com", "TEST@"];
    expect(words.map((word) => plain.identifierOf("userId", word))).toEqual(words.map(() => null));
    expect(plain.identifierOf("userId", "guestbook")).toBe("userId:guestbook");
  });
});

describe("a pattern", () => {
  it("is matched as a regular expression would match it", () => {
    const random = createRandom(SEED);
    const draw = (letters: string, most: number) => random.list(1, most, () => random.pick([...letters])).join("");
    for (let i = 0; i < 5_000; i++) {
      const pattern = draw("aB*", 7);
      const value = `x${draw("Ab", 9)}`;
      const isBlocked = buildPolicy({ blocked: [{ pattern: `x${pattern}` }] }).identifierOf("userId", value) === null;
      const expected = new RegExp(`^x${pattern.replaceAll("*", ".*")}$`, "i").test(value);
      expect([pattern, value, isBlocked]).toEqual([pattern, value, expected]);
    }
  });

  it("of many stars is done with a value that is made for it (to try all ways would take for ever)", () => {
    const pattern = `${"a*".repeat(127)}b`;
    const policy = buildPolicy({ blocked: Array.from({ length: 200 }, () => ({ pattern })) });
    const value = "a".repeat(256);
    for (let i = 0; i < 20; i++) expect(policy.identifierOf("userId", value)).toBe(`userId:${value}`);
  });

  it("of prototype names blocks just those", () => {
    const policy = buildPolicy({ blocked: [{ pattern: "__proto__" }, { kind: "userId", pattern: "constructor" }] });
    expect(policy.identifierOf("userId", "__proto__")).toBeNull();
    expect(policy.identifierOf("userId", "constructor")).toBeNull();
    expect(policy.identifierOf("anonymousId", "constructor")).toBe("anonymousId:constructor");
    expect(policy.identifierOf("userId", "toString")).toBe("userId:toString");
  });
});

describe("the names of a message", () => {
  const policy = buildPolicy({ ...SHOP, phoneRegion: null });
  const names = (message: object) => readNames({ type: "track", ...message }, policy);

  it("come in the order of the site's kinds", () => {
    const traits = { email: "ann@x.example", phone: "+4930123456" };
    const context = { externalIds: [{ id: "L1", type: "loyalty", collection: "users", encoding: "none" }] };
    expect(names({ type: "identify", userId: "ann", anonymousId: "d", traits, context })).toEqual({
      owner: "userId:ann",
      identifiers: ["userId:ann", "loyalty:L1", "email:ann@x.example", "anonymousId:d"],
      previous: [],
      refused: [],
    });
  });

  it("are Segment's own kinds by Segment's names", () => {
    const externalIds = [
      { id: "ann", type: "user_id" },
      { id: "d", type: "anonymous_id" },
      { id: "Ann@x.example", type: "email" },
    ];
    expect(names({ context: { externalIds } })).toMatchObject({
      owner: "userId:ann",
      identifiers: ["userId:ann", "email:ann@x.example", "anonymousId:d"],
    });
    expect(names({ userId: "bob", context: { externalIds } }).owner).toBe("userId:bob");
  });

  it.each([
    ["of a kind that the site does not have", { id: "1", type: "braze_id" }],
    ["of a prototype's name", { id: "1", type: "__proto__" }],
    ["of an account", { id: "1", type: "loyalty", collection: "accounts" }],
    ["in a code", { id: "1", type: "loyalty", encoding: "base64" }],
    ["without a value", { type: "loyalty" }],
    ["without a kind", { id: "1" }],
    ["of no shape", "loyalty"],
    ["that is nothing", null],
  ])("are not those %s", (_, externalId) => {
    expect(names({ userId: "ann", context: { externalIds: [externalId] } })).toEqual({
      owner: "userId:ann",
      identifiers: ["userId:ann"],
      previous: [],
      refused: [],
    });
  });

  it.each([[{}], ["list"], [7], [null]])("are read of a context whose externalIds are %j", (externalIds) => {
    expect(names({ userId: "ann", context: { externalIds } }).identifiers).toEqual(["userId:ann"]);
  });

  it("are at most so many external ones", () => {
    const externalIds = Array.from({ length: 800 }, (_, i) => ({ id: `L${i}`, type: "loyalty" }));
    expect(names({ userId: "ann", context: { externalIds } }).identifiers).toHaveLength(21);
  });

  it("leave out what is refused, and say so", () => {
    const externalIds = [
      { id: "x-demo", type: "loyalty" },
      { id: { a: 1 }, type: "loyalty" },
      { id: "", type: "loyalty" },
    ];
    const message = {
      type: "identify",
      userId: "null",
      anonymousId: "d",
      traits: { email: "ann" },
      context: { externalIds },
    };
    expect(names(message)).toMatchObject({
      owner: "anonymousId:d",
      identifiers: ["anonymousId:d"],
      refused: [
        { kind: "userId", reason: "blocked" },
        { kind: "email", reason: "malformed" },
        { kind: "loyalty", reason: "blocked" },
        { kind: "loyalty", reason: "malformed" },
      ],
    });
  });
});
