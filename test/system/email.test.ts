/** An e-mail from its tokens to a click, on both Workers as they are deployed: blocks by API, images from the press. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { readRows, type System, startSystem } from "./system.ts";

const PERSON = {
  "user-agent":
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "accept-language": "en",
};
const SENDER = { "user-agent": "Braze Sender", accept: "application/json" };

interface Content {
  html: string;
  text: string;
  decision: { id: string; variant: string };
  link: string;
  image: { src: string; src2x: string; dark: string; width: number; height: number };
}

let system: System;
let tokens: { token: string }[];

beforeAll(async () => {
  system = await startSystem();
  await system.api("POST", "/api/segments", {
    key: "gold",
    name: "Gold",
    visibility: "private",
    status: "active",
    condition: { trait: "plan", eq: "gold" },
  });
  await system.api("POST", "/api/blocks", {
    key: "offer",
    slot: "offer",
    variants: [
      {
        key: "gold",
        audience: { segment: "gold" },
        template: " ",
        link: "https://shop.example/gold?from=mail",
        image: {
          width: 600,
          height: 200,
          alt: "20 % for {{ customer.name | default: 'you' }}",
          dark: { background: "#101010", text: "#ffffff", accent: "#ffcc00" },
          parts: [
            { type: "text", text: "20 % for {{ customer.name | default: 'you' }}", size: 28, bold: true },
            { type: "countdown", to: "2099-01-01T00:00:00Z", over: "It is over." },
          ],
        },
      },
    ],
    fallback: "<p>10 %</p>",
  });
  await system.api("POST", "/api/blocks/offer/publish", {});
  const batch = [
    {
      type: "identify",
      userId: "ann",
      messageId: "a",
      traits: { plan: "gold", name: "Ann", email: "ann@shop.example" },
    },
  ];
  const stored = await fetch(`${system.worker.url}/v1/batch`, {
    method: "POST",
    body: JSON.stringify({ writeKey: system.writeKey, batch }),
  });
  expect(await stored.json()).toMatchObject({ accepted: 1 });
  const recipients = [{ email: "ann@shop.example" }, { email: "bob@shop.example" }];
  tokens = await system.api("POST", "/api/email/tokens", { send: "spring", recipients });
});

afterAll(() => system?.stop());

/** Width and height, as the header of a PNG says them. */
async function sizeOf(url: string, headers: Record<string, string> = PERSON): Promise<[number, number, bytes: number]> {
  const response = await fetch(url, { headers });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
  expect(response.headers.get("cache-control")).toBe("private, no-cache, max-age=0");
  const bytes = new DataView(await response.arrayBuffer());
  return [bytes.getUint32(16), bytes.getUint32(20), bytes.byteLength];
}

it("shows one decision in all its forms, to the person it is for", async () => {
  const address = `${system.worker.url}/e/${tokens[0]!.token}/offer`;
  const content = (await (await fetch(address, { headers: SENDER })).json()) as Content;
  expect(content).toMatchObject({ decision: { variant: "gold", reason: "targeted" }, link: `${address}/click` });
  expect(content.html).toMatch(
    /^<a href="[^"]+\/click"><picture><source [^>]+><img [^>]+ alt="20 % for Ann" [^>]+><\/picture><\/a>$/,
  );
  expect(content.text).toBe(`20 % for Ann (${address}/click)`);

  const [width, height, bytes] = await sizeOf(content.image.src);
  expect([width, height]).toEqual([600, 200]);
  expect(bytes).toBeGreaterThan(1_000);
  expect((await sizeOf(content.image.src2x)).slice(0, 2)).toEqual([1_200, 400]);
  expect((await sizeOf(content.image.dark)).slice(0, 2)).toEqual([600, 200]);
  const click = await fetch(content.link, { headers: PERSON, redirect: "manual" });
  expect([click.status, click.headers.get("location")]).toEqual([302, "https://shop.example/gold?from=mail"]);

  const again = (await (await fetch(address, { headers: SENDER })).json()) as Content;
  expect(again.decision).toEqual(content.decision);
  await expect
    .poll(
      () =>
        readRows<{ body: string }>(system, "SELECT body FROM events WHERE body LIKE '%spring%'")
          .map(({ body }) => JSON.parse(body).event)
          .sort(),
      { timeout: 30_000 },
    )
    .toEqual(["Attune Exposure", "Email Link Clicked", "Email Opened"]);
  expect(readRows(system, "SELECT id FROM send_decisions")).toEqual([{ id: content.decision.id }]);
});

it("shows strangers what anybody gets, and nobody an error", async () => {
  const address = `${system.worker.url}/e/${tokens[1]!.token}/offer`;
  expect(await (await fetch(address)).text()).toBe("<p>10 %</p>");
  expect((await sizeOf(`${address}.png`)).slice(0, 2)).toEqual([1, 1]);
  for (const path of ["/e/x/offer.png", "/e/"]) expect((await fetch(system.worker.url + path)).status).toBe(200);
  const click = await fetch(`${address}x/click`, { redirect: "manual" });
  expect(click.status).toBe(200);
});
