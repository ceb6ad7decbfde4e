/** For whom a page is filled, and when there is no time to find out. The pages lie beside the Worker. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import worker from "../../../edge/worker.ts";
import type { HandedOver } from "../../../shared/wire.ts";
import { throughEach } from "../profiles/around.ts";
import { bindings, createSite, type TestSite } from "../site.ts";

const PAGE =
  '<attune-block name="name">Own</attune-block><div data-attune-slot="campaign">Own</div><div data-attune-slot="sample">Own</div>';

let site: TestSite;
let cookieName: string;
beforeAll(async () => {
  site = await createSite({
    blocks: [
      {
        slot: "name",
        variants: [{ key: "all", audience: null, template: "<b>{{ customer.name | default: 'nobody' }}</b>" }],
      },
      {
        slot: "campaign",
        variants: [
          {
            key: "all",
            audience: null,
            template:
              "{{ context.campaign.name }} {{ context.device.type }} {{ context.locale }} {{ context.page.path }} {{ context.page.search }}",
          },
        ],
      },
      {
        slot: "sample",
        variants: [{ key: "half", audience: { sample: { seed: "s", from: 0, to: 0.5 } }, template: "Half" }],
        fallback: "Rest",
      },
    ],
  });
  cookieName = `__Host-attune.${site.id}`;
});

const cookieOf = (id: string) => ({ cookie: `${cookieName}=${id}.${Math.floor(Date.now() / 86_400_000)}` });
const identify = (anonymousId: string, userId: string, name: string) =>
  site.batch([{ type: "identify", messageId: crypto.randomUUID(), anonymousId, userId, traits: { name } }]);

/** @param change of the bindings. @param done behind the answer's end. */
async function open(path: string, headers: Record<string, string>, change: Partial<Env> = {}, done = () => {}) {
  const pages = {
    fetch: async () => new Response(PAGE, { headers: { "content-type": "text/html" } }),
  } as unknown as Fetcher;
  const env: Env = { ...bindings, ASSETS: pages, ORIGIN: "assets", ORIGIN_KEY: site.writeKey, ...change };
  const context = createExecutionContext();
  const request = new Request<unknown, IncomingRequestCfProperties>(`https://shop.example${path}`, {
    headers: { accept: "text/html", ...headers },
  });
  const response = await worker.fetch(request, env, context);
  const html = await response.text();
  done();
  await waitOnExecutionContext(context);
  const told = /<script type="application\/json" data-attune>(.*)<\/script>/.exec(html)?.[1];
  return { html, handed: told ? (JSON.parse(told) as HandedOver) : null };
}

describe("a page is filled", () => {
  it("for whom the cookie names, unless two people use the device", async () => {
    const id = crypto.randomUUID();
    await identify(id, `a-${id}`, "Ada");
    const own = await open("/", cookieOf(id));
    expect(own.html).toContain("<b>Ada</b>");
    expect(own.handed).toMatchObject({ anonymousId: id, token: expect.any(String), stableId: expect.any(String) });

    await identify(id, `b-${id}`, "Bob");
    const shared = await open("/", cookieOf(id));
    expect(shared.html).toContain("<b>nobody</b>");
    expect(shared.html).not.toMatch(/Ada|Bob/);
    expect(shared.handed).not.toHaveProperty("anonymousId");
  });

  it("but for what only a device's id decides, where it has none yet", async () => {
    const slotsOf = async (headers: Record<string, string>) => Object.keys((await open("/", headers)).handed!.slots);
    expect(await slotsOf({})).toEqual(["name", "campaign"]);
    expect(await slotsOf(cookieOf(crypto.randomUUID()))).toEqual(["name", "campaign", "sample"]);
  });

  it("with what the request says of itself", async () => {
    const { html } = await open("/sale?utm_source=x&utm_campaign=spring", {
      "user-agent": "Mozilla/5.0 (iPhone) Mobile",
      "accept-language": "de-DE,de;q=0.9",
    });
    expect(html).toContain("spring mobile de-DE /sale ?utm_source=x&amp;utm_campaign=spring</div>");
  });

  it("as it came where storage takes its time, and tells the script nothing", async () => {
    const id = crypto.randomUUID();
    await identify(id, `c-${id}`, "Cleo");
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    const DB = throughEach((call) => gate.then(call));
    const { html, handed } = await open("/", cookieOf(id), { DB, ATTUNE_PATIENCE: "1" }, resolve);
    expect([html, handed]).toEqual([PAGE, null]);
  });

  it.each([
    ["the key is unknown", { ORIGIN_KEY: "pk_unknown" }],
    ["there is no key", { ORIGIN_KEY: undefined }],
  ])("not at all where %s", async (_, change) => {
    expect((await open("/", {}, change as Partial<Env>)).html).toBe(PAGE);
  });
});
