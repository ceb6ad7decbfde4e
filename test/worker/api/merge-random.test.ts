import fc from "fast-check";
import { expect, it } from "vitest";
import { SEED } from "../../unit/shared/seed.ts";
import { type Client, ingest, type Json, newSite, readPages } from "./client.ts";

const KINDS = [
  { kind: "userId", limit: 1 },
  { kind: "email", limit: 2 },
  { kind: "anonymousId", limit: 3 },
];

const SHOP = "https://shop.example";

const users = fc.constantFrom("ada", "ben", "cleo");
const devices = fc.constantFrom("d1", "d2", "d3", "d4", "d5");
const traits = fc.record({ email: fc.constantFrom("1", "2", "3", "4").map((name) => `${name}@shop.example`) });
const said = fc.oneof(
  fc.record(
    { type: fc.constant("identify"), userId: users, anonymousId: devices, traits },
    { requiredKeys: ["type", "userId", "anonymousId"] },
  ),
  { weight: 3, arbitrary: fc.record({ type: fc.constant("identify"), anonymousId: devices, traits }) },
  fc.record({ type: fc.constant("alias"), userId: users, previousId: devices }),
);

const idsOf = (people: Json[]) => people.map(({ id, identifiers }) => [id, identifiers.length]);

async function profilesOf(site: Client, people: Json[]): Promise<Json[]> {
  const profiles = await Promise.all(people.map(({ id }) => site.get(`/api/profiles/${id}`)));
  return idsOf(profiles);
}

it("a conflict is possible exactly where a link by hand is; what a dry run says is what is done", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 6, maxLength: 16 }), fc.nat(), async (messages, choice) => {
      const site = await newSite({ identity: { kinds: KINDS }, origins: [SHOP] });
      for (const [index, message] of messages.entries()) {
        // A browser that names nobody is not believed: such a refusal can be overruled by hand.
        await ingest(site, [{ ...message, messageId: `m${index}` }], "userId" in message ? undefined : SHOP);
      }
      const first = messages.find(({ type }) => type === "identify") ?? messages[0]!;
      const device = "anonymousId" in first ? first.anonymousId : first.previousId;
      const { id } = await site.get(`/api/profiles?anonymousId=${device}`);
      const links = await readPages(site, `/api/profiles/${id}/links?limit=200`);
      const link = links[choice % links.length];
      if (link) {
        const preview = await site.post("/api/links/preview", { remove: link.id });
        const done = await (await site.send("DELETE", `/api/links/${link.id}`)).json<Json>();
        expect(done).toEqual({ ...preview, done: true });
        expect(await profilesOf(site, done.after)).toEqual(idsOf(done.after));
      }
      for (const { a, b, possible } of await readPages(site, "/api/conflicts?limit=200")) {
        const pair = { a: { kind: a.kind, value: a.value }, b: { kind: b.kind, value: b.value } };
        const answer = await site.send("POST", "/api/links/preview", pair);
        expect(answer.status === 200, JSON.stringify([pair, answer.status])).toBe(possible);
        if (!possible) continue;
        const preview = await answer.json<Json>();
        const merge = await site.post("/api/links", pair);
        expect(idsOf(merge.after)).toEqual(idsOf(preview.after));
        expect(await profilesOf(site, merge.after)).toEqual(idsOf(merge.after));
        break;
      }
    }),
    { seed: SEED, numRuns: 12 },
  );
}, 120_000);
