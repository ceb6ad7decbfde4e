/** What a visitor who has not chosen has allowed, by where the Worker sees the visitor. */
import { describe, expect, it } from "vitest";
import { asksFirst } from "../../../edge/delivery/place.ts";
import type { ConsentMode } from "../../../shared/consent.ts";
import type { SiteSettings } from "../../../shared/manifest.ts";
import { bindings, createSite } from "../site.ts";
import { ask } from "./worker.ts";

const FIRST = [
  "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK",
  "IS LI NO CH GB",
  "GF GP MQ MF RE YT BL PM WF PF NC TF AX SJ GI JE GG IM",
].join(" ");
const NOWHERE = ["T1", "XX", "EU", "AP", "A1", "A2", "O1", "AA", "QM", "ZZ", "", "us", "USA", undefined, null, 1];
const ELSEWHERE = "US CA BR MX AR CL JP KR IN CN AU NZ ZA NG EG QA AE SA TR UA RS BA ME MK AL XK GL FO AW CW BM HK TW";

describe("consent comes first", () => {
  it.each(FIRST.split(" "))("in %s", (country) => {
    expect(asksFirst({ country })).toBe(true);
  });

  it.each(NOWHERE)("where the country is %j", (country) => {
    expect(asksFirst({ country })).toBe(true);
  });

  it("where there is no word of a place, and wherever Cloudflare says that it is the EU", () => {
    expect(asksFirst(undefined)).toBe(true);
    expect(asksFirst({ country: "US", isEUCountry: "1" })).toBe(true);
  });

  it.each(ELSEWHERE.split(" "))("not in %s", (country) => {
    expect(asksFirst({ country })).toBe(false);
  });
});

describe("the manifest", () => {
  const from = (country: string | undefined) => ({ cf: country === undefined ? {} : { country } }) as RequestInit;
  const siteOf = (settings: Partial<SiteSettings>) => createSite({ settings });
  const read = async (path: string, init: RequestInit, env = bindings) => {
    const response = await ask(env, path, init);
    const { consentDefault } = await response.json<{ consentDefault: ConsentMode }>();
    return { consentDefault, etag: response.headers.get("etag")!, cache: response.headers.get("cache-control") };
  };

  it.each(["/v1", "/a"])(
    "says under %s that nothing is allowed where consent comes first, in other words elsewhere",
    async (plane) => {
      const { writeKey } = await siteOf({ consentDefault: "session" });
      const path = `${plane}/manifest/${writeKey}`;
      const answers = await Promise.all(["DE", "US", "T1", undefined].map((country) => read(path, from(country))));
      expect(answers.map(({ consentDefault }) => consentDefault)).toEqual(["off", "session", "off", "off"]);
      const [german, american, tor] = answers;
      expect(german!.etag).not.toBe(american!.etag);
      expect(german!.etag).toBe(tor!.etag);
    },
  );

  it("is not kept for somebody elsewhere: by no shared cache, and not by its ETag", async () => {
    const { writeKey } = await siteOf({ consentDefault: "full" });
    const path = `/a/manifest/${writeKey}`;
    const { etag, cache } = await read(path, from("US"));
    expect(cache).toMatch(/^private, max-age=10, stale-while-revalidate=\d+$/);
    const headers = { "if-none-match": etag };
    expect((await ask(bindings, path, { ...from("US"), headers })).status).toBe(304);
    expect((await ask(bindings, path, { ...from("FR"), headers })).status).toBe(200);
  });

  it("says what the site says where the site answers for every place, and on a local start", async () => {
    const everywhere = await siteOf({ consentDefault: "full", consentRegion: "everywhere" });
    expect(await read(`/a/manifest/${everywhere.writeKey}`, from("DE"))).toMatchObject({ consentDefault: "full" });
    const site = await siteOf({ consentDefault: "full", consentRegion: "outside-europe" });
    const path = `/a/manifest/${site.writeKey}`;
    expect(await read(path, from("DE"))).toMatchObject({ consentDefault: "off" });
    const local = { ...bindings, ATTUNE_LOCAL: "1" };
    expect(await read(path, from("DE"), local)).toMatchObject({ consentDefault: "full" });
  });

  it("never says more than the site does", async () => {
    const { writeKey } = await siteOf({ consentDefault: "off" });
    expect(await read(`/a/manifest/${writeKey}`, from("US"))).toMatchObject({ consentDefault: "off" });
  });
});
