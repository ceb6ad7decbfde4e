/**
 * Keeps what somebody did with an e-mail as events of the identifier that it was made for, be that an address alone: by the names of
 * Segment's e-mail spec, and as an exposure of the block, so that what a page counts of a block counts here. A message's id follows from
 * the decision: a second opening changes nothing. What proxies and scanners fetch is kept as nothing: that an e-mail was delivered the
 * service that sent it knows, and knows better.
 */
import type { JsonObject } from "../../shared/event.ts";
import { ingestMessages } from "../delivery/batch.ts";
import type { Env } from "../env.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readProfileView } from "../profiles/read.ts";
import { sha256 } from "../sha256.ts";
import type { Given } from "./give.ts";

export type Act = { name: "Email Opened" } | { name: "Email Link Clicked"; link: string };

/** Of a kept decision; nothing of somebody who is not known, or does not allow analytics. */
export async function recordAct(
  env: Env,
  live: LiveSite,
  send: string,
  given: Given,
  act: Act,
  now: number,
): Promise<void> {
  const { decision, recipient } = given;
  if (!given.isKept || !recipient.id) return;
  const profile = await readProfileView(env.DB, live, { id: recipient.id }, now);
  const subject = profile?.person.group.nodes.find(({ birthId }) => birthId === recipient.id);
  if (!subject || !profile?.consent.analytics.granted) return;
  const { id, slot, block, variant, reason } = decision;
  const shown = { decision: id, slot, block, variant, reason, send, channel: "email" };
  const track = (event: string, messageId: string, properties: JsonObject) => ({
    type: "track",
    event,
    messageId,
    properties,
  });
  const email = { email_id: send, channel: "email" };
  const messages = [
    act.name === "Email Opened"
      ? track(act.name, `email-opened-${await sha256(JSON.stringify([recipient.id, send]))}`, { ...email, send })
      : track(act.name, `email-clicked-${id}`, { ...email, ...shown, link_url: act.link }),
    // Whoever clicks has seen it.
    track("Attune Exposure", `email-exposed-${id}`, shown),
  ];
  await ingestMessages(env, live, { messages, envelope: {}, pointer: "", source: "server", receivedAt: now, subject });
}
