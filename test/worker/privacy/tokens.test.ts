/** Tokens that are not what they should be: whoever comes with one gets what anybody gets, on every route, and never an error page. */
import { beforeAll, describe, expect, it } from "vitest";
import { readSite } from "../../../edge/manifest/read.ts";
import { revokeTokens } from "../../../edge/manifest/revoked.ts";
import { eraseProfile } from "../../../edge/profiles/erase.ts";
import { signToken, verifyToken } from "../../../edge/tokens.ts";
import { createRandom } from "../../unit/shared/random.ts";
import { SEED } from "../../unit/shared/seed.ts";
import { ask } from "../delivery/worker.ts";
import { openShop, PERSON, type Shop } from "../email/shop.ts";
import { bindings } from "../site.ts";

const SECRET = "zqsecretqz";
const HOME = "https://shop.example/";
const FORMS = ["", ".html", ".txt", ".json", ".png", ".2x.png", ".dark.png", "/click"];
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const gone = { ...bindings, ATTUNE_SECRET: "gone-secret-0123456789abcdef0123456789abcdef" };
const rotated = { ...gone, ATTUNE_SECRET_PREVIOUS: bindings.ATTUNE_SECRET };

let shop: Shop;
let other: Shop;
let birthId: string;
let email: string;
let profile: string;
let preview: string;

const build = async (name: string) => {
  const made = await openShop({ settings: { origins: [HOME.slice(0, -1)] } });
  await made.block("offer", {
    variants: [
      {
        key: "own",
        audience: { trait: "name", exists: true },
        template: "<p>{{ customer.name }}</p>",
        link: "https://shop.example/own",
      },
    ],
    fallback: "<p>Everybody</p>",
  });
  return { made, id: await made.know(`user-${name}`, { name: `${SECRET} ${name}` }) };
};

beforeAll(async () => {
  ({ made: shop, id: birthId } = await build("ann"));
  ({ made: other } = await build("bob"));
  await shop.batch([{ type: "track", event: "E", anonymousId: "device", userId: "user-ann", messageId: "e" }]);
  const asked = await shop.post("/v1/decide", { anonymousId: "device", userId: "user-ann", slots: ["offer"] });
  const answer = await asked.json<{ token: string; slots: { offer: { html: string } } }>();
  expect(answer.slots.offer.html).toContain(SECRET);
  profile = answer.token;
  email = await shop.tokenOf(birthId);
  const [head] = email.split(".");
  preview = await signToken(bindings, "preview", { siteId: shop.id, id: head!.slice(0, 8), expiresAt: 9e15 });
  expect(await (await shop.get(email, "offer", PERSON)).text()).toContain(SECRET);
});

/** What is no token of this site's person and of this purpose. */
async function buildBad(): Promise<string[]> {
  const random = createRandom(SEED);
  const forged = (purpose: "email" | "profile") =>
    signToken(gone, purpose, { siteId: shop.id, profileId: birthId, birthId, send: "s", expiresAt: 9e15 } as never);
  const flipped = [email, profile].flatMap((token) =>
    random.list(40, 40, () => random.below(token.length)).map((at) => flip(token, at, 1 + random.below(63))),
  );
  const cut = [email, profile].flatMap((token) =>
    random.list(20, 20, () => token.slice(0, random.below(token.length))),
  );
  const [body, signature] = email.split(".") as [string, string];
  return [
    ...[await forged("email"), await forged("profile")],
    ...flipped,
    ...cut.filter(Boolean),
    ...[
      `${body}.`,
      `.${signature}`,
      `${body}..${signature}`,
      `${signature}.${body}`,
      `${body}.${signature}=`,
      `${email}.x`,
    ],
    ...[
      `${body}.${signature}%20`,
      `%20${email}`,
      `${email}%00`,
      `${body}.${profile.split(".")[1]}`,
      `${email}${email}`,
    ],
    ...[
      "x",
      ".",
      "..%2f..",
      "null",
      "undefined",
      "%F0%9F%92%A5",
      "%ff%fe",
      "a.b.c",
      "__proto__",
      "constructor.x",
      "{}.e30",
    ],
    ...["A".repeat(8_000), `${"A".repeat(4_000)}.${"A".repeat(4_000)}`, `${body}.${"A".repeat(10_000)}`],
    ...[`${btoa("null").replace(/=/g, "")}.${signature}`, `${btoa("[]")}.${signature}`],
  ];
}

/** Whatever its type. */
async function textOf(response: Response): Promise<string> {
  return new TextDecoder().decode(await response.arrayBuffer());
}

function flip(token: string, at: number, by: number): string {
  if (token[at] === ".") return `${token.slice(0, at)}-${token.slice(at + 1)}`;
  return token.slice(0, at) + ALPHABET[(ALPHABET.indexOf(token[at]!) + by) % 64] + token.slice(at + 1);
}

it("no change of a single character is taken for genuine", async () => {
  for (const [purpose, token] of [
    ["email", email],
    ["profile", profile],
    ["preview", preview],
  ] as const) {
    expect(await verifyToken(bindings, purpose, token)).not.toBeNull();
    for (let at = 0; at < token.length; at++)
      for (const by of [1, 2, 3, 32]) expect(await verifyToken(bindings, purpose, flip(token, at, by))).toBeNull();
    for (const more of [" ", "\n", "=", "==", "A"])
      expect(await verifyToken(bindings, purpose, token + more)).toBeNull();
    const dot = token.indexOf(".");
    for (const blank of [" ", "\t", "\n"])
      expect(await verifyToken(bindings, purpose, token.slice(0, dot + 5) + blank + token.slice(dot + 5))).toBeNull();
  }
});

describe("an e-mail", () => {
  it("of a bad token is an answer all the same, in its form, with nothing of anybody", async () => {
    const bad = [...(await buildBad()), profile, preview];
    for (const [index, token] of bad.entries()) {
      const form = FORMS[index % FORMS.length]!;
      const response = await shop.get(token, `offer${form}`, PERSON);
      const body = await textOf(response);
      expect([200, 302], `${form} ${token.slice(0, 80)}`).toContain(response.status);
      expect(body + [...response.headers].join()).not.toContain(SECRET);
      expect(response.headers.get("cache-control")).toBe("private, no-cache, max-age=0");
      if (form.endsWith("png")) expect(response.headers.get("content-type")).toBe("image/png");
      else if (form === ".json") expect(JSON.parse(body)).toMatchObject({ decision: null, html: "" });
    }
  });

  it("of an expired one, of a person who is gone, or of another site's person shows what anybody gets", async () => {
    const expired = await shop.tokenOf(birthId, { expiresAt: Date.now() - 1 });
    const foreign = await shop.tokenOf(birthId, { siteId: other.id });
    const nobody = await shop.tokenOf("p_00000000000000000000");
    for (const token of [expired, foreign, nobody]) {
      for (const form of FORMS) {
        const response = await shop.get(token, `offer${form}`, PERSON);
        expect(response.status).toBe(form === "/click" ? 302 : 200);
        if (form === "/click") expect(response.headers.get("location")).toBe(HOME);
        const body = await textOf(response);
        expect(body).not.toContain(SECRET);
        if (form === ".html") expect(body).toBe("<p>Everybody</p>");
      }
    }
  });

  it("goes on for tokens of the secret before, and not of the one before that", async () => {
    const token = await shop.tokenOf(birthId, { send: "rotation" });
    expect(await (await shop.get(token, "offer.html", PERSON, rotated)).text()).toContain(SECRET);
    expect(await (await shop.get(token, "offer.html", PERSON, gone)).text()).toBe("");
  });
});

describe("a decision", () => {
  const decide = async (token: unknown, more: object = {}, site: Shop = shop) => {
    const response = await site.post("/v1/decide", { anonymousId: "stranger", slots: ["offer"], token, ...more });
    const body = await response.text();
    expect(response.status, body).toBe(200);
    return body;
  };

  it("with a bad token is that of whoever asks", async () => {
    const huge = "A".repeat(400_000);
    const odd = [
      null,
      1,
      {},
      [],
      true,
      "",
      "\u0000",
      "💥",
      "\ud800",
      huge,
      `${profile.split(".")[0]}.${huge}`,
      profile,
    ];
    for (const token of [...(await buildBad()), email, preview, ...odd]) {
      expect(await decide(token)).not.toContain(SECRET);
    }
  });

  it("with a token of another device or site, or after a revocation, is not believed", async () => {
    expect(await decide(profile, {}, other)).not.toContain(SECRET);
    expect(await decide(profile, { anonymousId: "device", userId: "user-ann" }, other)).not.toContain(SECRET);
    const said = await verifyToken(bindings, "profile", profile);
    await revokeTokens(bindings, shop.id, [said!.profileId], Date.now());
    expect(await decide(profile, { anonymousId: "stranger" })).not.toContain(SECRET);
  });

  it("with a token of a megabyte is refused for its size", async () => {
    const response = await shop.post("/v1/decide", {
      anonymousId: "x",
      slots: ["offer"],
      token: "A".repeat(1_000_000),
    });
    expect(response.status).toBe(413);
  });
});

it("a shared preview of a bad token is a page that says so", async () => {
  for (const token of [...(await buildBad()), email, profile, preview]) {
    const response = await ask(bindings, `/preview/${token}`);
    const body = await response.text();
    expect([404, 410, 400], `${token.slice(0, 80)} ${body.slice(0, 200)}`).toContain(response.status);
    expect(body).not.toContain(SECRET);
  }
});

it("whoever was erased is nobody, whatever tokens are left", async () => {
  const { made, id } = await build("eve");
  const token = await made.tokenOf(id);
  const asked = { anonymousId: "eves", userId: "user-eve", slots: ["offer"] };
  const answer = await (await made.post("/v1/decide", asked)).json<{ token: string | null }>();
  expect(await (await made.get(token, "offer.html", PERSON)).text()).toContain(SECRET);
  const erasing = { actor: "test", now: Date.now, budget: { deadline: Infinity, statements: Infinity } };
  const live = (await readSite(bindings, made.id, Date.now()))!;
  expect(await eraseProfile(bindings, live, { id }, erasing)).toMatchObject({ isComplete: true });
  for (const form of FORMS) {
    const response = await made.get(token, `offer${form}`, PERSON);
    expect(await textOf(response)).not.toContain(SECRET);
  }
  const replayed = await made.post("/v1/decide", { ...asked, token: answer.token });
  expect(await replayed.text()).not.toContain(SECRET);
});
