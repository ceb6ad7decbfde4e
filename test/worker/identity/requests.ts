/** Requests about a few people, as they are drawn and sent: messages, and links that a developer removes. */
import type { Env } from "../../../edge/env.ts";
import type { Random } from "../../unit/shared/random.ts";
import type { TestSite } from "../site.ts";
import type { Isolate } from "./isolates.ts";

export type Message = { [field: string]: unknown };

interface Pair {
  a: string;
  b: string;
}

/** `receivedAt` in epoch milliseconds. */
export type Request = { receivedAt: number } & (
  | { messages: Message[]; source: "browser" | "server" }
  | { unlink: Pair }
);

const SECOND = 1_000;

/**
 * Of two users, three devices and two addresses, a second apart.
 *
 * @param part stands in all identifiers
 * @param how `removals`: so many remove links, about; none of the first `calm` ones
 */
export function drawRequests(
  random: Random,
  part: string,
  start: number,
  { calm, removals }: { calm: number; removals: number },
): Request[] {
  const userId = () => part + random.pick(["u", "u", "u", "v"]);
  const anonymousId = () => part + random.pick(["a", "b", "c"]);
  const email = () => `${part}${random.pick(["x", "y"])}@example.com`;
  const traits = () => ({
    ...(random.chance(0.5) && { plan: random.pick(["pro", "free", null]) }),
    ...(random.chance(0.4) && { email: email() }),
  });
  const context = () => {
    const categoryPreferences = random.pick([{ marketing: random.chance(0.5) }, { analytics: random.chance(0.8) }]);
    return { context: { consent: { categoryPreferences } } };
  };
  const kinds: (() => Message)[] = [
    () => ({ type: "track", event: "Seen", anonymousId: anonymousId() }),
    () => ({ type: "track", event: "Seen", userId: userId(), anonymousId: anonymousId() }),
    () => ({ type: "identify", userId: userId(), anonymousId: anonymousId(), traits: traits() }),
    () => ({ type: "identify", userId: userId(), traits: traits() }),
    () => ({ type: "identify", anonymousId: anonymousId(), traits: traits() }),
    () => ({ type: "alias", userId: userId(), previousId: anonymousId() }),
    () => ({ type: "alias", anonymousId: anonymousId(), previousId: anonymousId() }),
  ];
  const sent: Message[] = [];
  const message = (at: number): Message => {
    if (sent.length && random.chance(0.1)) return random.pick(sent);
    // No two at once: of what is said of consent at one instant only the refusal is kept.
    const timestamp = new Date(at - random.below(5) * SECOND - sent.length).toISOString();
    const messageId = `${part}m${sent.length}`;
    const drawn = { ...random.pick(kinds)(), timestamp, messageId, ...(random.chance(0.2) && context()) };
    sent.push(drawn);
    return drawn;
  };
  return random
    .list(calm + 5, calm + 9, () => null)
    .map((_, index, { length }): Request => {
      const receivedAt = start + index * SECOND;
      const named = sent.flatMap(pairsOf);
      if (index >= calm && named.length && random.chance(removals / (length - calm)))
        return { receivedAt, unlink: random.pick(named) };
      const source = random.pick(["browser", "server"] as const);
      return { receivedAt, messages: random.list(1, 3, () => message(receivedAt)), source };
    });
}

/** What a message links its owner with. */
function pairsOf({ userId, anonymousId, previousId, traits }: Message): Pair[] {
  const { email } = (traits ?? {}) as { email?: string };
  const [a, ...others] = [
    userId && `userId:${userId}`,
    anonymousId && `anonymousId:${anonymousId}`,
    email && `email:${email}`,
    previousId && `anonymousId:${previousId}`,
  ].filter((identifier) => typeof identifier === "string");
  return others.map((b) => ({ a: a!, b }));
}

/** @returns false where there was no link to remove. @throws as the Worker does where a client is asked to come again */
export async function send(isolate: Isolate, env: Env, site: TestSite, request: Request): Promise<boolean> {
  const { receivedAt: now } = request;
  if ("unlink" in request) {
    const linkId = isolate.links.linkId(request.unlink.a, request.unlink.b);
    const removed = await isolate.unlink.unlink(env, site.id, { linkId, actor: "key:k", now });
    return !("refused" in removed);
  }
  const live = await isolate.site.readSiteByWriteKey(env, { waitUntil: () => {} }, site.writeKey, Date.now());
  await isolate.batch.ingestMessages(env, live!, { ...request, envelope: {}, pointer: "/batch" });
  return true;
}

/** Different messages that consent allows to be stored. */
export function countMessages(requests: readonly Request[]): number {
  const isWithheld = ({ context }: Message) => JSON.stringify(context ?? {}).includes('"analytics":false');
  const messages = requests.flatMap((request) => ("messages" in request ? request.messages : []));
  return new Set(messages.filter((message) => !isWithheld(message)).map(({ messageId }) => messageId)).size;
}
