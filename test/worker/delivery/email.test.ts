import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { EMAIL_TOKEN_MS, signToken } from "../../../edge/tokens.ts";
import { bindings, createSite, type TestSite } from "../site.ts";

describe("a block in an e-mail", () => {
  let site: TestSite;
  let profileId: string;
  beforeAll(async () => {
    site = await createSite({
      segments: [{ key: "gold", condition: { trait: "plan", eq: "gold" }, visibility: "private" }],
      blocks: [
        {
          slot: "offer",
          variants: [
            {
              key: "gold",
              audience: { segment: "gold" },
              template: "<p>{{ customer.name | default: 'You' }}: 20 %</p>",
            },
          ],
          fallback: "<p>10 %</p>",
        },
      ],
    });
    await site.batch([
      {
        type: "identify",
        userId: "ann",
        messageId: "i",
        traits: { plan: "gold", name: "Ann", email: "ann@example.com" },
      },
    ]);
    const [row] = await site.rows<{ profile_id: string }>("SELECT profile_id FROM identifiers WHERE site_id = ?1");
    profileId = row!.profile_id;
  });

  const sign = (more: object = {}) =>
    signToken(bindings, "email", {
      siteId: site.id,
      profileId,
      send: "spring",
      expiresAt: Date.now() + EMAIL_TOKEN_MS,
      ...more,
    });
  const get = (token: string, slot = "offer") => exports.default.fetch(`https://edge.example/e/${token}/${slot}`);

  it("is the person's own, never shared by a cache, and names nobody in its address", async () => {
    const token = await sign();
    const response = await get(token);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("private, max-age=300");
    expect(await response.text()).toBe("<p>Ann: 20 %</p>");
    expect(atob(token.split(".")[0]!.replaceAll("-", "+").replaceAll("_", "/"))).not.toMatch(/ann|@/i);
  });

  it("falls back for an expired token, and says nothing for one that is none", async () => {
    expect(await (await get(await sign({ expiresAt: 1 }))).text()).toBe("<p>10 %</p>");
    expect(await (await get(await sign({ profileId: "p_gone" }))).text()).toBe("<p>10 %</p>");
    for (const token of [
      "x",
      "x.y",
      `${(await sign()).slice(0, -3)}AAA`,
      await signToken({ ATTUNE_SECRET: "f".repeat(40) }, "email", {
        siteId: site.id,
        profileId,
        send: "s",
        expiresAt: 9e15,
      }),
    ]) {
      const response = await get(token);
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("private, no-cache, max-age=0");
      expect(await response.text()).toBe("");
    }
    expect((await get(await sign(), "nowhere")).status).toBe(200);
  });
});
