/** A shop whose visitors' stories are told: what is sent at which time of one day, and who is who afterwards, as a developer reads it. */
import { exports } from "cloudflare:workers";
import { expect, onTestFinished, vi } from "vitest";
import { stableIdOf } from "../../../../shared/hash.ts";
import { type Client, type Json, newSite, readPages } from "../../api/client.ts";

const DAY = "2026-03-02";
const ORIGIN = "https://shop.example";

/** Who came, what they did, since when they belong where. */
const SEGMENTS = {
  looking: { event: "Product Viewed", within: "7d", count: { gte: 2 } },
  buyer: { event: "Order Completed" },
  pro: { trait: "plan", eq: "pro" },
};

export interface Who {
  userId?: string;
  anonymousId?: string;
}

export type Message = Who & { [field: string]: unknown };

/** A person as the shop knows them. */
export interface Known {
  /** All identifiers, in alphabetical order. */
  ids: string[];
  /** The one that is known longest: variants are drawn by it. */
  eldest: string;
  traits: object;
  /** Segment → since when. */
  segments: { [key: string]: string };
  /** Products viewed and orders completed, in the order in which it happened. */
  did: string;
}

export interface Shop {
  client: Client;
  /** A page sends messages, in one request; it is believed less than a server. */
  browser(time: string, ...messages: Message[]): Promise<void>;
  server(time: string, ...messages: Message[]): Promise<void>;
  consent(time: string, who: Who, purposes: { [purpose: string]: boolean }): Promise<void>;
  /** All that was ever sent, once more, each in a request of its own. */
  resend(time: string, order: <T>(requests: T[]) => T[]): Promise<void>;
  /** Links identifiers by hand, "kind:value". */
  link(time: string, a: string, b: string): Promise<void>;
  /** Removes their link, which must do what the preview says. */
  unlink(time: string, a: string, b: string): Promise<void>;
  /** Everybody who was ever named, each found by each of their identifiers. */
  people(): Promise<Known[]>;
  /** Links that were refused, by time, then name: "a ≠ b". */
  conflicts(): Promise<string[]>;
}

export function views(product: string, who: Who): Message {
  return { type: "track", event: "Product Viewed", properties: { product }, ...who };
}

export function buys(product: string, who: Who): Message {
  return { type: "track", event: "Order Completed", properties: { product }, ...who };
}

export function identify(who: Who, traits: object = {}): Message {
  return { type: "identify", traits, ...who };
}

/** It happened at another time than it is sent. */
export function happened(time: string, message: Message): Message {
  return { ...message, timestamp: instantOf(time) };
}

/** Opens at 08:00. Until the test ends, time stands still but for what the story says. */
export async function openShop(): Promise<Shop> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(instantOf("08:00")) });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const client = await newSite({ origins: [ORIGIN] });
  for (const [key, condition] of Object.entries(SEGMENTS))
    await client.post("/api/segments", { key, name: key, condition, status: "active" });
  const sent: { messages: Message[]; headers: { origin?: string } }[] = [];
  const named = new Set<string>();

  const post = async (path: string, body: object, headers: { origin?: string }) => {
    const request = { method: "POST", headers, body: JSON.stringify({ writeKey: client.writeKey, ...body }) };
    const response = await exports.default.fetch(`https://edge.example${path}`, request);
    return { status: response.status, body: await response.json<Json>() };
  };
  const sendAgain = async ({ messages, headers }: (typeof sent)[number]) => {
    const answer = await post("/v1/batch", { batch: messages }, headers);
    expect(answer).toMatchObject({ status: 200, body: { accepted: messages.length } });
  };
  const send = (time: string, messages: Message[], headers: { origin?: string }) => {
    vi.setSystemTime(Date.parse(instantOf(time)));
    const numbered = messages.map((message, index) => {
      const messageId = `${sent.length}-${index}`;
      return { timestamp: instantOf(time), messageId, ...message };
    });
    for (const message of numbered) for (const name of namesIn(message)) named.add(name);
    const request = { messages: numbered, headers };
    sent.push(request);
    return sendAgain(request);
  };

  return {
    client,
    browser: (time, ...messages) => send(time, messages, { origin: ORIGIN }),
    server: (time, ...messages) => send(time, messages, {}),
    consent: async (time, who, purposes) => {
      vi.setSystemTime(Date.parse(instantOf(time)));
      const answer = await post("/v1/consent", { ...who, purposes }, { origin: ORIGIN });
      expect(answer.status).toBe(200);
    },
    resend: async (time, order) => {
      vi.setSystemTime(Date.parse(instantOf(time)));
      const alone = sent.flatMap(({ messages, headers }) =>
        messages.map((message) => ({ messages: [message], headers })),
      );
      for (const request of order(alone)) await sendAgain(request);
    },
    people: () => readPeople(client, named),
    link: async (time, a, b) => {
      vi.setSystemTime(Date.parse(instantOf(time)));
      await client.post("/api/links", { a: endOf(a), b: endOf(b) });
    },
    unlink: async (time, a, b) => {
      vi.setSystemTime(Date.parse(instantOf(time)));
      const { kind, value } = endOf(a);
      const { id } = await client.get(`/api/profiles?${kind}=${encodeURIComponent(value)}`);
      const links = await readPages(client, `/api/profiles/${id}/links?limit=100`);
      const link = links.find((one) => [nameOf(one.a), nameOf(one.b)].sort().join() === [a, b].sort().join());
      const preview = await client.post("/api/links/preview", { remove: link.id });
      const done = await client.send("DELETE", `/api/links/${link.id}`);
      expect(await done.json()).toEqual({ ...preview, done: true });
    },
    conflicts: async () => {
      const conflicts = await readPages(client, "/api/conflicts?limit=100");
      return conflicts
        .map(({ at, a, b }) => ({ at, says: `${nameOf(a)} ≠ ${nameOf(b)}` }))
        .sort((a, b) => (a.at === b.at ? (a.says < b.says ? -1 : 1) : a.at < b.at ? -1 : 1))
        .map(({ says }) => says);
    },
  };
}

/** @param named queries, as they were spelled when they were sent */
async function readPeople(client: Client, named: ReadonlySet<string>): Promise<Known[]> {
  const people = new Map<string, Known>();
  for (const query of named) {
    const response = await client.send("GET", `/api/profiles?${query}`);
    if (response.status === 404) continue;
    const profile = await response.json<Json>();
    if (people.has(profile.id)) continue;
    const { traits, segments, stableId } = profile;
    const ids: string[] = profile.identifiers.map(nameOf).sort();
    const eldest = ids.find((id) => stableIdOf(id) === stableId)!;
    const since = segments.map((segment: Json) => [segment.key, timeOf(segment.since)]);
    const events = await readPages(client, `/api/profiles/${profile.id}/events?limit=100`);
    const did = events.reverse().flatMap(({ event, properties }) => {
      if (!event) return [];
      return event === "Order Completed" ? `bought ${properties.product}` : properties.product;
    });
    people.set(profile.id, { ids, eldest, traits, segments: Object.fromEntries(since), did: did.join(", ") });
  }
  return [...people.values()].sort((a, b) => (a.ids[0]! < b.ids[0]! ? -1 : 1));
}

function namesIn({ userId, anonymousId, previousId, traits }: Message): string[] {
  const { email, phone } = (traits ?? {}) as { email?: unknown; phone?: unknown };
  const given = { userId, anonymousId, email, phone };
  const aliases = [{ userId: previousId }, { anonymousId: previousId }];
  return [given, ...aliases]
    .flatMap((names) => Object.entries(names))
    .flatMap(([kind, value]) => (value === undefined ? [] : `${kind}=${encodeURIComponent(String(value))}`));
}

const nameOf = ({ kind, value }: { kind: string; value: string }) => `${kind}:${value}`;

function endOf(identifier: string): { kind: string; value: string } {
  const colon = identifier.indexOf(":");
  return { kind: identifier.slice(0, colon), value: identifier.slice(colon + 1) };
}

/** "09:30" of the story's day, or a whole time. */
const instantOf = (time: string) => (time.length === 5 ? `${DAY}T${time}:00.000Z` : time);

const timeOf = (instant: string) => (instant.startsWith(DAY) ? instant.slice(11, 16) : instant);
