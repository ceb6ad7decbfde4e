/** A slot does not wait for storage that takes its time; what was sent is not lost for it. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import { PROFILE_TOKEN_FRESH_MS, signToken, verifyToken } from "../../../edge/tokens.ts";
import worker from "../../../edge/worker.ts";
import type { DecideAnswer } from "../../../shared/wire.ts";
import { throughEach } from "../profiles/around.ts";
import { bindings, createSite, type TestSite, track } from "../site.ts";

let site: TestSite;
beforeAll(async () => {
  site = await createSite({
    segments: [{ key: "runner", condition: { event: "Ran" } }],
    blocks: [
      { slot: "hero", variants: [{ key: "run", audience: { segment: "runner" }, template: "Run!" }], fallback: "Walk" },
      {
        slot: "name",
        variants: [{ key: "only", audience: null, template: "{{ customer.name | default: 'you' }}" }],
      },
      { slot: "old", variants: [{ key: "only", audience: { event: "Ran" }, template: "Ran" }] },
    ],
  });
  // Whose site it is has to be known.
  await ask({});
});

const slots = ["hero", "name", "old"];

/** Asks while D1 waits; D1 goes on once the answer is there, or after so long. */
async function askSlowly(
  body: object,
  own: Partial<Env> = {},
  slowMs?: number,
): Promise<{ response: Response; answer: DecideAnswer }> {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  if (slowMs) setTimeout(open, slowMs);
  const env: Env = { ...bindings, ATTUNE_PATIENCE: "1", ...own, DB: throughEach((call) => gate.then(call)) };
  const context = createExecutionContext();
  const request = new Request<unknown, IncomingRequestCfProperties>("https://edge.example/a/decide", {
    method: "POST",
    body: JSON.stringify({ writeKey: site.writeKey, slots, ...body }),
  });
  const response = await worker.fetch(request, env, context);
  open();
  await waitOnExecutionContext(context);
  return { response, answer: await response.json() };
}

const ask = async (body: object): Promise<DecideAnswer> => (await site.post("/a/decide", { slots, ...body })).json();

describe("while storage takes its time", () => {
  it("a local start waits for it", async () => {
    const event = track("Ran", {}, { anonymousId: "late-0" });
    const { answer } = await askSlowly({ anonymousId: "late-0", events: [event] }, { ATTUNE_PATIENCE: "10" }, 600);
    expect(answer).toMatchObject({ accepted: 1, slots: { hero: { html: "Run!" } } });
  });

  it("a stranger gets what needs nobody's data, and the events are stored behind the answer but not acked", async () => {
    const event = track("Ran", {}, { anonymousId: "late-1" });
    const { response, answer } = await askSlowly({ anonymousId: "late-1", events: [event] });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(answer).toMatchObject({ success: true, accepted: 0, rejected: [], pending: true, token: null });
    expect(answer.slots["hero"]).toMatchObject({ html: "Walk", decision: { reason: "fallback" } });
    expect(answer.slots["name"]).toMatchObject({ html: null, decision: { reason: "error" } });
    expect(answer.slots["old"]).toMatchObject({ html: null, decision: { reason: "error" } });
    expect(Date.parse(answer.until!)).toBeGreaterThan(Date.now());
    expect(
      await site.rows("SELECT 1 FROM events WHERE site_id = ?1 AND message_id = ?2", event["messageId"]),
    ).toHaveLength(1);

    const again = await ask({ anonymousId: "late-1", events: [event] });
    expect(again).toMatchObject({ accepted: 1, slots: { hero: { html: "Run!" }, old: { html: "Ran" } } });
    expect(again).not.toHaveProperty("pending");
  });

  it("somebody with a token gets what it says, however old it is, and what the browser decided since", async () => {
    const known = await ask({ anonymousId: "late-2", events: [track("Ran", {}, { anonymousId: "late-2" })] });
    const event = track("Sat", {}, { anonymousId: "late-2" });
    const { answer } = await askSlowly({ anonymousId: "late-2", token: known.token, events: [event] });
    expect(answer).toMatchObject({ pending: true, token: known.token, slots: { hero: { html: "Run!" } } });
    const { answer: other } = await askSlowly({ anonymousId: "other", token: known.token });
    expect(other).toMatchObject({ token: null, slots: { hero: { html: "Walk" } } });
    const { answer: local } = await askSlowly({ anonymousId: "late-3", local: { segments: ["runner"] } });
    expect(local).toMatchObject({ slots: { hero: { html: "Run!" } }, segments: { runner: expect.any(String) } });
    expect(local).not.toHaveProperty("pending");
  });

  it("whoever withdraws gets nothing personal", async () => {
    const known = await ask({ anonymousId: "late-4", events: [track("Ran", {}, { anonymousId: "late-4" })] });
    const context = { consent: { categoryPreferences: { personalization: false } } };
    const { answer } = await askSlowly({ anonymousId: "late-4", token: known.token, events: [track("Sat")], context });
    expect(answer.slots["hero"]).toMatchObject({ html: "Walk", decision: { reason: "no-consent" } });
  });

  it("a token that is not fresh does not know what was taken back elsewhere", async () => {
    const anonymousId = "late-5";
    const known = await ask({ anonymousId, events: [track("Ran", {}, { anonymousId })] });
    const said = (await verifyToken(bindings, "profile", known.token!))!;
    const token = await signToken(bindings, "profile", { ...said, issuedAt: said.issuedAt - PROFILE_TOKEN_FRESH_MS });
    const { answer } = await askSlowly({ anonymousId, token });
    expect(answer.slots["hero"]).toMatchObject({ html: "Walk", decision: { reason: "no-consent" } });
    const context = { consent: { categoryPreferences: { personalization: true, analytics: true } } };
    const { answer: confirmed } = await askSlowly({ anonymousId, token, context });
    expect(confirmed.slots["hero"]).toMatchObject({ html: "Run!" });
  });
});

it("an answer says how long a server may keep it", async () => {
  const control = async (body: object) => (await site.post("/v1/decide", body)).headers.get("cache-control");
  expect(await control({ anonymousId: "kept", slots: ["hero"] })).toMatch(/^private, max-age=(300|\d\d?)$/);
  expect(
    await control({ anonymousId: "kept", slots: ["hero"], events: [track("Sat", {}, { anonymousId: "kept" })] }),
  ).toBe("no-store");
});
