/**
 * Real clicks as people who come and go: sessions are devices, and who uses them is drawn, the same at each run. Says nothing of
 * what must come out of it.
 */
import { createRandom, type Random } from "../../unit/shared/random.ts";
import type { Click } from "../clicks.ts";

/** As it is sent to `/v1/batch`. */
export interface Message {
  type: "track" | "identify" | "alias";
  messageId: string;
  /** ISO 8601. */
  timestamp: string;
  userId?: string;
  anonymousId?: string;
  previousId?: string;
  event?: string;
  properties?: object;
  traits?: { email?: string; name?: string };
}

interface User {
  id: string;
  email: string;
}

/** How somebody says on a device who they are. */
const MANNERS = ["userId", "userId", "both", "both", "e-mail", "alias"] as const;
const ANONYMOUS_FOR_EVER = 0.35;
const ONE_DEVICE = 0.6;
const MOST_DEVICES = 5;
const SHARES_A_DEVICE = 0.08;
const SHARES_AN_ADDRESS = 0.03;
const RENAMED = 0.02;
const AFTERWARDS_MS = 60_000;

/** Messages in the order of their times, the newest of them now. */
export function buildMessages(sessions: Map<string, Click[]>, seed: number): Message[] {
  const random = createRandom(seed);
  const shift = Date.now() - AFTERWARDS_MS - Math.max(...[...sessions.values()].flat().map(({ at }) => at));
  const messages: Message[] = [];
  const devices = [...sessions].map(([session, clicks]) => ({ id: `d${session}`, clicks }));
  let before: { user: User; device: string } | undefined;
  for (let next = 0, users = 0; next < devices.length; ) {
    if (random.chance(ANONYMOUS_FOR_EVER)) {
      const { id, clicks } = devices[next++]!;
      sit(id, clicks, null);
      continue;
    }
    const id = `u${++users}`;
    const hasOthersAddress = before !== undefined && random.chance(SHARES_AN_ADDRESS);
    const user: User = { id, email: hasOthersAddress ? before!.user.email : `${id}@example.com` };
    const count = random.chance(ONE_DEVICE) ? 1 : 2 + random.below(MOST_DEVICES - 1);
    const own = devices.slice(next, next + count);
    next += own.length;
    for (const device of own) sit(device.id, device.clicks, user);
    const last = own.at(-1)!;
    if (before && random.chance(SHARES_A_DEVICE)) sit(before.device, last.clicks, user);
    if (random.chance(RENAMED)) {
      user.id = `${id}-renamed`;
      say(last.clicks.at(-1)!.at + AFTERWARDS_MS, { type: "alias", userId: user.id, previousId: id });
    }
    before = { user, device: last.id };
  }
  return messages.sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));

  /** Clicks on a device; somewhere among them, or after all, the user says who they are. */
  function sit(device: string, clicks: readonly Click[], user: User | null): void {
    const login = user ? random.below(clicks.length + 1) : Number.POSITIVE_INFINITY;
    const manner = random.pick(MANNERS);
    for (const [index, { item, at }] of clicks.entries()) {
      if (index === login) introduce(at - 1, device, user!, manner);
      const isKnown = index >= login && manner !== "e-mail";
      say(at, {
        type: "track",
        event: "Product Viewed",
        properties: { product_id: item, category: random.pick(["shoes", "bags"]) },
        ...(isKnown && { userId: user!.id }),
        ...(!(isKnown && manner === "alias") && { anonymousId: device }),
      });
    }
    if (login === clicks.length) introduce(clicks.at(-1)!.at + AFTERWARDS_MS, device, user!, manner);
  }

  function introduce(at: number, device: string, { id, email }: User, manner: (typeof MANNERS)[number]): void {
    if (manner === "alias") say(at, { type: "alias", userId: id, previousId: device });
    else if (manner === "e-mail") say(at, { type: "identify", anonymousId: device, traits: { email } });
    else {
      const traits = { name: id, ...(manner === "both" && { email: writtenBy(random, email) }) };
      say(at, { type: "identify", userId: id, anonymousId: device, traits });
    }
  }

  function say(at: number, message: Omit<Message, "messageId" | "timestamp">): void {
    const timestamp = new Date(at + shift).toISOString();
    messages.push({ ...message, messageId: `click-${messages.length}`, timestamp });
  }
}

/** Sessions as a file might hold them, where none is given. */
export function drawClicks(sessions: number, seed: number): Map<string, Click[]> {
  const random = createRandom(seed);
  const clicks = (start: number) =>
    random.list(1, 12, () => ({ item: String(random.below(500)), at: start + random.below(1_800) * 1_000 }));
  const byTime = (a: Click, b: Click) => a.at - b.at;
  return new Map(
    Array.from({ length: sessions }, (_, index) => [String(index), clicks(random.below(86_400) * 1_000).sort(byTime)]),
  );
}

function writtenBy(random: Random, email: string): string {
  return random.pick([email, email, email.toUpperCase(), ` ${email}`]);
}
