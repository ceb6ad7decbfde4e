/**
 * `GET /e/:token/:slot`: a slot's HTML for the person of an e-mail token, made for fetchers that take an error for
 * content: always 200, and the block's fallback for a token that is unknown, forged or expired.
 */
import { decideSlots, NOBODY, type Viewer } from "../blocks/decide.ts";
import { listIdentifiersOfProfiles } from "../db/identifiers.ts";
import type { Env } from "../env.ts";
import { groupStored } from "../identity/resolve.ts";
import { log } from "../log.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { loadPeople } from "../profiles/load.ts";
import { buildPerson, decideSegments, refreshHistories } from "../profiles/person.ts";
import { verifyToken } from "../tokens.ts";
import { viewerOf } from "./viewer.ts";

/** Fetchers of e-mail services cache at least this long whatever they are told. */
const MAX_AGE_SECONDS = 300;

export async function answerEmail(env: Env, context: ExecutionContext, token: string, slot: string): Promise<Response> {
  const now = Date.now();
  try {
    const said = await verifyToken(env, "email", token);
    const live = said && (await readSite(env, said.siteId, now, context));
    if (!said || !live) return html("", 0);
    const viewer = now < said.expiresAt ? await readViewer(env.DB, live, said.profileId, now) : NOBODY;
    const answer = decideSlots(live, [slot], viewer, undefined, now)[slot]!;
    const until = answer.decision.until;
    const seconds = until === null ? MAX_AGE_SECONDS : Math.floor((until - now) / 1000);
    return html(answer.html ?? "", Math.max(0, Math.min(seconds, MAX_AGE_SECONDS)));
  } catch (error) {
    log("error", { route: "/e/:token/:slot", error: String(error) });
    return html("", 0);
  }
}

/** The person behind a profile id as decided now; nobody if it is gone. */
async function readViewer(db: D1Database, live: LiveSite, profileId: string, now: number): Promise<Viewer> {
  const { siteId } = live.manifest;
  const identifiers = await listIdentifiersOfProfiles(db, siteId, [profileId]);
  const stored = await loadPeople(db, siteId, identifiers);
  await refreshHistories(db, live, stored);
  const group = groupStored(stored.nodes).get(identifiers[0] ?? "");
  if (!group) return NOBODY;
  const person = buildPerson(group, stored, live, now);
  Object.assign(person.profile, decideSegments(person, live, now));
  return viewerOf(person);
}

/** Personal, so never in a shared cache. */
function html(body: string, maxAge: number): Response {
  return new Response(body, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": maxAge > 0 ? `private, max-age=${maxAge}` : "private, no-cache, max-age=0",
      "x-robots-tag": "noindex",
      "referrer-policy": "no-referrer",
    },
  });
}
