/** Whose what is done with an e-mail is: the identifier's that its token was made for, whatever else that person is known by. */
import { beforeEach, expect, it } from "vitest";
import { linkId } from "../../../edge/db/links.ts";
import { ingestMessages } from "../../../edge/delivery/batch.ts";
import { linkIdentifiers } from "../../../edge/identity/link.ts";
import { unlink } from "../../../edge/identity/unlink.ts";
import { readSite } from "../../../edge/manifest/read.ts";
import { eraseProfile } from "../../../edge/profiles/erase.ts";
import { readProfileView } from "../../../edge/profiles/read.ts";
import { between } from "../profiles/around.ts";
import { bindings } from "../site.ts";
import { openShop, PERSON, pressing, type Shop } from "./shop.ts";

const ANN = "userId:ann";
const ADDRESS = "email:ann@shop.example";
const PAIR = { a: ANN, b: ADDRESS };

let shop: Shop;
let token: string;
let birthId: string;
beforeEach(async () => {
  shop = await openShop({ segments: [{ key: "reader", condition: { event: "Email Opened" } }] });
  const image = { width: 600, height: 200, alt: "Hi", parts: [] };
  await shop.block("hero", { variants: [{ key: "a", audience: null, template: "<p>Hi</p>", image }] });
  await shop.know("ann", { email: "ann@shop.example" });
  const [row] = await shop.rows<{ birth_id: string }>(
    "SELECT birth_id FROM identifiers WHERE site_id = ?1 AND identifier = ?2",
    ADDRESS,
  );
  birthId = row!.birth_id;
  token = await shop.tokenOf(birthId);
});

const open = (more = {}) => shop.get(token, "hero.png", PERSON, { ...pressing().env, ...more });
const click = (more = {}) => shop.get(token, "hero/click", PERSON, more);
const request = () => ({ actor: "key:k", now: Date.now() });
const liveSite = async () => (await readSite(bindings, shop.id, Date.now()))!;
const part = () => unlink(bindings, shop.id, { linkId: linkId(ANN, ADDRESS), ...request() });
const erase = async () =>
  eraseProfile(
    bindings,
    await liveSite(),
    { identifier: ANN },
    {
      ...{ actor: "key:k", now: Date.now, budget: { deadline: Infinity, statements: Infinity } },
    },
  );
const personOf = async (identifier: string) =>
  readProfileView(bindings.DB, await liveSite(), { identifier }, Date.now());
const segmentsOf = async (identifier: string) => (await personOf(identifier))?.segments.map(({ key }) => key);
const eventsOf = async () =>
  (
    await shop.rows<{ said: string }>(
      "SELECT owner || ' ' || name AS said FROM events WHERE site_id = ?1 AND type = 'track' ORDER BY owner, name",
    )
  ).map(({ said }) => said);
const countPeople = async () =>
  (await shop.rows("SELECT 1 FROM profiles WHERE site_id = ?1 AND merged_into IS NULL")).length;

const OPENED = [`${ADDRESS} Attune Exposure`, `${ADDRESS} Email Opened`];

it("an address's, counted with all that its person is, and stored without a name in it", async () => {
  await open();
  expect(await eventsOf()).toEqual(OPENED);
  expect(await segmentsOf(ANN)).toEqual(["reader"]);
  expect(await countPeople()).toBe(1);
  const bodies = await shop.rows("SELECT body FROM events WHERE site_id = ?1 AND type = 'track'");
  expect(JSON.stringify(bodies)).not.toContain("shop.example");
});

it("an address's that nobody else is known by any more, and that of whoever has it again", async () => {
  await open();
  expect(await part()).not.toHaveProperty("refused");
  expect((await personOf(ADDRESS))?.identifiers).toMatchObject([{ kind: "email" }]);
  expect([await segmentsOf(ADDRESS), await segmentsOf(ANN)]).toEqual([["reader"], []]);
  await click();
  const all = [OPENED[0]!, `${ADDRESS} Email Link Clicked`, OPENED[1]!];
  expect(await eventsOf()).toEqual(all);
  expect(await countPeople()).toBe(2);

  expect(await linkIdentifiers(bindings, shop.id, { ...PAIR, ...request() })).not.toHaveProperty("refused");
  await open();
  await click();
  expect(await eventsOf()).toEqual(all);
  expect(await segmentsOf(ANN)).toEqual(["reader"]);
  expect(await countPeople()).toBe(1);
  expect(await part()).not.toHaveProperty("refused");
  expect([await segmentsOf(ADDRESS), await segmentsOf(ANN)]).toEqual([["reader"], []]);
});

it("nobody's once the person is erased, whatever is being stored meanwhile, nor that of whoever has the address then", async () => {
  await open();
  expect(await erase()).toMatchObject({ isComplete: true });
  expect([await eventsOf(), await countPeople()]).toEqual([[], 0]);
  await open();
  await click();
  expect([await eventsOf(), await countPeople()]).toEqual([[], 0]);

  let happenings = 0;
  for (let trip = 1; trip <= 10; trip++) {
    await shop.know("ann", { email: "ann@shop.example" });
    const { birthId } = (await personOf(ADDRESS))!.person.group.nodes.find(({ identifier }) => identifier === ADDRESS)!;
    token = await shop.tokenOf(birthId);
    const again = async () => {
      await erase();
      await shop.know("ann", { email: "ann@shop.example" });
    };
    const racing = between(trip, trip % 2 ? erase : again);
    await click({ DB: racing.env.DB });
    if (racing.happened()) happenings++;
    const left = (await eventsOf()).filter((said) => said.includes(ADDRESS));
    if (racing.happened()) expect(left, `before round trip ${trip}`).toEqual([]);
    await erase();
  }
  expect(happenings).toBeGreaterThan(5);
});

it("that of one identifier, not of another that has its name now, though the clock of whoever tells is ahead", async () => {
  await erase();
  const tell = async () => {
    const messages = [{ type: "track", event: "Email Opened", messageId: "m" }];
    const subject = { identifier: ADDRESS, birthId };
    const list = {
      messages,
      subject,
      envelope: {},
      pointer: "",
      source: "server",
      receivedAt: Date.now() + 60_000,
    } as const;
    const { answer } = await ingestMessages(bindings, await liveSite(), list);
    return answer.rejected.map(({ problem }) => problem.type);
  };
  expect(await tell()).toEqual(["/problems#erased"]);
  await shop.know("ann", { email: "ann@shop.example" });
  expect(await tell()).toEqual(["/problems#erased"]);
  expect([await eventsOf(), await countPeople()]).toEqual([[], 1]);
});

it("no message's from outside, which names an account or a device", async () => {
  const externalIds = [{ type: "email", id: "ann@shop.example", collection: "users", encoding: "none" }];
  const subject = { identifier: ADDRESS, birthId };
  const forged = { type: "track", event: "Email Opened", messageId: "m", subject, owner: ADDRESS, birthId };
  const { rejected } = await shop.batch([{ ...forged, context: { externalIds } }, forged], { subject });
  expect(rejected.map(({ problem }) => problem.errors?.[0]?.pointer)).toEqual(["/userId", "/userId"]);
  expect(await eventsOf()).toEqual([]);
});
