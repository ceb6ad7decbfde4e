/**
 * `POST /v1/decide`: slots for one visitor, with the events that the browser had not sent yet. A visitor with a fresh
 * token and no new events is answered without reading storage.
 */
import * as z from "zod";
import { PURPOSES, type Purpose, readConsent } from "../../shared/consent.ts";
import { stableIdOf } from "../../shared/hash.ts";
import type { Identifier } from "../../shared/identifier.ts";
import type { IngestAnswer } from "../../shared/wire.ts";
import {
  decideFromToken,
  decideInHaste,
  decideSlots,
  isTokenOnly,
  NOBODY,
  type SlotAnswer,
  type Viewer,
} from "../blocks/decide.ts";
import { statementsOf } from "../db/identifiers.ts";
import type { Decisions } from "../db/profiles.ts";
import { answerWithin, DEADLINE_MS, patienceOf } from "../deadline.ts";
import type { Env } from "../env.ts";
import { invalidRequest } from "../invalid.ts";
import { log } from "../log.ts";
import type { LiveSite } from "../manifest/live.ts";
import { isTokenRevoked } from "../manifest/revoked.ts";
import { grantedPurposes, type Person } from "../profiles/person.ts";
import { holds, readSnapshot, type Snapshot, viewerOfSnapshot } from "../profiles/snapshot.ts";
import { PROFILE_TOKEN_FRESH_MS, PROFILE_TOKEN_MS, type ProfileToken, verifyToken } from "../tokens.ts";
import { signPerson, TOKEN_CHARACTERS, untilOf, writeAnswer } from "./answer.ts";
import { ingestMessages, sourceOf } from "./batch.ts";
import { keepDevice, readDeviceCookie, restoreDevice } from "./device.ts";
import { keepFor } from "./keep.ts";
import { readJsonBody } from "./request.ts";
import { openSite } from "./site.ts";
import { viewerOf } from "./viewer.ts";

export const SLOTS = 50;
export const SLOT_CHARACTERS = 128;
const LOCAL_SEGMENTS = 500;
/** How long an answer holds that rests on what a browser said of itself. */
const LOCAL_MS = 60_000;
/** How long an answer holds that did not wait for storage. */
const HASTY_MS = 30_000;

const NOTHING: IngestAnswer = { success: true, accepted: 0, rejected: [] };

/** The request without its events, which are checked one by one. An id that no message may have names nobody. */
export const decideSchema = z.object({
  anonymousId: z.string().optional(),
  userId: z.string().nullish(),
  /** One that no edge would have given counts as none. */
  token: z.unknown().optional(),
  context: z.record(z.string(), z.unknown()).optional(),
  /** A page's mistake in one name costs no other slot its answer. */
  slots: z.array(z.unknown()).optional(),
  local: z.object({ segments: z.array(z.string()).optional() }).optional(),
  variants: z.record(z.string(), z.string()).optional(),
});
type DecideBody = z.infer<typeof decideSchema>;

export async function answerDecide(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const now = Date.now();
  const body = await readJsonBody(request);
  const { live: known, headers } = await openSite(request, env, context, body, now);
  const cookie = readDeviceCookie(request, known.manifest.siteId);
  const restored = restoreDevice(body, body["events"], cookie);
  const parsed = decideSchema.safeParse(body);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const asked = parsed.data;
  const { variants } = asked;
  const events = Array.isArray(body["events"]) && !body["events"].length ? undefined : body["events"];
  // What is beyond the limits is not looked at.
  const slots = (asked.slots ?? []).filter(isSlot).slice(0, SLOTS);

  const token = await readProfileToken(env, known, asked, now);
  const asking = events === undefined && isTokenOnly(known, slots) ? token : null;
  const isKnown = asking !== null && isFresh(asking, known, now);
  const fresh = isKnown && answerViewer(viewerOfSnapshot(asking));
  if (fresh) return fresh;
  const answering = answerFromStorage();
  const answer = await answerWithin(patienceOf(env, DEADLINE_MS), answering);
  if (answer) return answer;
  // What was sent goes on being stored; whoever sent it keeps it until that is acked.
  context.waitUntil(answering.catch((error) => log("warn", { route: "/decide", late: String(error) })));
  return answerInHaste();

  /** From what is known of the visitor already; null where that is not enough. */
  function answerViewer(seen: Viewer): Response | null {
    const viewer = { ...seen, consent: restrict(seen.consent, asked) };
    const decided = decideFromToken(known, slots, viewer, asked.context, now, variants);
    return decided && respond(viewer, decided, asked.token as string, NOTHING);
  }

  async function answerFromStorage(): Promise<Response> {
    const snapshot = asking && !isKnown ? await readNewer(env, known, asking, now) : null;
    const answered = snapshot && answerViewer(viewerOfSnapshot(snapshot));
    if (answered) return answered;
    const visitor = known.identity.identifierOf("anonymousId", asked.anonymousId);
    const { answer, result, live } = await ingestMessages(env, known, {
      background: context,
      messages: events ?? [],
      envelope: body,
      pointer: "/events",
      source: sourceOf(request),
      receivedAt: now,
      also: visitor ? [visitor] : [],
    });
    const person = visitor ? visiblePerson(result.personOf(visitor), live, asked) : null;
    const viewer = person
      ? { ...viewerOf(person), consent: restrict(person.consent, asked) }
      : viewerOfLocal(live, asked, visitor, now);
    const decided = decideSlots(live, slots, viewer, asked.context, now, variants);
    if (!person) return respond(viewer, decided, null, answer);
    const signed = await signPerson(env, live, person, asked.anonymousId!, now);
    return respond(viewer, decided, signed, answer);
  }

  /** As the token knew the visitor, and as the browser decided since. */
  function answerInHaste(): Response {
    const visitor = known.identity.identifierOf("anonymousId", asked.anonymousId);
    const local = viewerOfLocal(known, asked, visitor, now);
    const earlier = token && viewerOfSnapshot(token);
    const stillGranted = token && isYounger(token, PROFILE_TOKEN_FRESH_MS, now) ? restrict : confirm;
    const viewer = earlier
      ? {
          ...earlier,
          consent: stillGranted(earlier.consent, asked),
          segments: { ...local.segments, ...earlier.segments },
          wakesAt: now + HASTY_MS,
        }
      : { ...local, wakesAt: now + HASTY_MS };
    const decided = decideInHaste(known, slots, viewer, asked.context, now);
    return respond(viewer, decided, token && (asked.token as string), events ? { ...NOTHING, pending: true } : NOTHING);
  }

  function respond(
    viewer: Viewer,
    decided: { [slot: string]: SlotAnswer },
    signed: string | null,
    ingested: IngestAnswer,
  ): Response {
    const until = untilOf(viewer, decided);
    const received = { ...ingested, ...(restored && { anonymousId: restored }) };
    // For a server that asks for its pages: no browser keeps an answer to POST.
    const isKept = events === undefined && Object.values(decided).every(({ decision }) => decision.until !== now);
    return new Response(writeAnswer(received, viewer, decided, signed, until), {
      headers: {
        ...headers,
        ...keepDevice(cookie, body, now),
        "cache-control": isKept ? keepFor(until, now) : "no-store",
        "content-type": "application/json",
      },
    });
  }
}

function isSlot(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name.length <= SLOT_CHARACTERS;
}

/** The token, if it is this site's, this visitor's, not too old and not revoked. */
async function readProfileToken(
  env: Env,
  live: LiveSite,
  asked: DecideBody,
  now: number,
): Promise<ProfileToken | null> {
  if (typeof asked.token !== "string" || asked.token.length > TOKEN_CHARACTERS) return null;
  const token = await verifyToken(env, "profile", asked.token);
  if (!token || token.siteId !== live.manifest.siteId || token.anonymousId !== asked.anonymousId) return null;
  const user = live.identity.identifierOf("userId", asked.userId);
  if (user && token.user !== stableIdOf(user)) return null;
  if (isTokenRevoked(token.siteId, token.profileId, token.issuedAt)) return null;
  return isYounger(token, PROFILE_TOKEN_MS, now) ? token : null;
}

/** The newer of what the token and the snapshot know, where that still holds. */
async function readNewer(
  env: Env,
  live: LiveSite,
  token: ProfileToken,
  now: number,
): Promise<ProfileToken | Snapshot | null> {
  const snapshot = await readSnapshot(env, live, token.profileId, now);
  if (!snapshot || token.birthId === undefined || !snapshot.ids.includes(token.birthId)) return null;
  const newer = snapshot.at > token.issuedAt ? snapshot : token;
  return holds(newer, live, now) ? newer : null;
}

/** Clocks differ: what was issued a little later than now is as young as what was issued a little before. */
function isYounger({ issuedAt }: ProfileToken, ms: number, now: number): boolean {
  return Math.abs(now - issuedAt) < ms;
}

/** What was granted, less what this request says is not any more. */
function restrict(granted: readonly Purpose[] | undefined, asked: DecideBody): readonly Purpose[] | undefined {
  if (!asked.context || !Object.hasOwn(asked.context, "consent")) return granted;
  const said = readConsent(asked.context);
  if (!PURPOSES.some((purpose) => said[purpose] === false)) return granted;
  return (granted ?? PURPOSES).filter((purpose) => said[purpose] !== false);
}

/** Of what was granted long ago, what this request says is so still: elsewhere it may have been taken back. */
function confirm(granted: readonly Purpose[] | undefined, { context }: DecideBody): readonly Purpose[] {
  const said = readConsent(context);
  return (granted ?? PURPOSES).filter((purpose) => said[purpose]);
}

function isFresh(token: ProfileToken, live: LiveSite, now: number): boolean {
  return (
    token.manifestVersion === live.manifest.version &&
    isYounger(token, PROFILE_TOKEN_FRESH_MS, now) &&
    (token.wakesAt === null || now < token.wakesAt)
  );
}

/**
 * A device whose profile belongs to another user than the one that the page names is a shared device: what is known of
 * the other user is not for these eyes.
 */
function visiblePerson(person: Person | null, live: LiveSite, asked: DecideBody): Person | null {
  const user = live.identity.identifierOf("userId", asked.userId);
  if (!person || !user) return person;
  const other = person.group.nodes.some(({ identifier }) => identifier.startsWith("userId:") && identifier !== user);
  return other ? null : person;
}

/** Nothing is stored of this visitor: what the browser decided by itself counts, for public segments only. */
function viewerOfLocal(live: LiveSite, asked: DecideBody, visitor: Identifier | null, now: number): Viewer {
  const segments: Decisions = {};
  const publicKeys = new Set(live.manifest.segments.filter((s) => s.visibility === "public").map(({ key }) => key));
  for (const key of (asked.local?.segments ?? []).slice(0, LOCAL_SEGMENTS))
    if (publicKeys.has(key)) segments[key] = [0, now + LOCAL_MS];
  const said = statementsOf(readConsent(asked.context), now);
  const consent = grantedPurposes(said, live.manifest.settings.consentDefault);
  return { ...NOBODY, stableId: visitor ? stableIdOf(visitor) : "", segments, consent };
}
