/** Who looks at a page: the person whom the first-party cookie names, or somebody of whom nothing is known. */
import { PURPOSES, type Purpose } from "../../shared/consent.ts";
import type { JsonObject } from "../../shared/event.ts";
import { stableIdOf } from "../../shared/hash.ts";
import { decideSlots, NOBODY, type SlotAnswer, type Viewer } from "../blocks/decide.ts";
import { isContested } from "../db/links.ts";
import { signPerson } from "../delivery/answer.ts";
import { ingestMessages } from "../delivery/batch.ts";
import { asksFirst } from "../delivery/place.ts";
import { viewerOf } from "../delivery/viewer.ts";
import type { Env } from "../env.ts";
import type { LiveSite } from "../manifest/live.ts";
import type { Background } from "../manifest/read.ts";
import { grantedPurposes } from "../profiles/person.ts";

export interface Visitor {
  live: LiveSite;
  viewer: Viewer;
  /** The id of the cookie; undefined: there is none. */
  anonymousId: string | undefined;
  /** Null: nobody is known. */
  token: string | null;
}

/** @param anonymousId of the cookie, which is there only where consent allows it */
export async function readVisitor(
  request: Request,
  env: Env,
  background: Background,
  known: LiveSite,
  anonymousId: string | undefined,
  now: number,
): Promise<Visitor> {
  const identifier = known.identity.identifierOf("anonymousId", anonymousId);
  if (!anonymousId || !identifier) return { live: known, viewer: toStranger(known, ""), anonymousId, token: null };
  const [{ result, live }, isShared] = await Promise.all([
    ingestMessages(env, known, {
      background,
      messages: [],
      envelope: {},
      pointer: "",
      source: "browser",
      receivedAt: now,
      also: [identifier],
    }),
    isContested(env.DB, known.manifest.siteId, identifier),
  ]);
  // Who of them looks, only the script knows.
  if (isShared) return { live, viewer: toStranger(live, ""), anonymousId: undefined, token: null };
  const person = result.personOf(identifier);
  if (!person) return { live, viewer: toStranger(live, stableIdOf(identifier)), anonymousId, token: null };
  const viewer = viewerOf(person);
  return {
    live,
    viewer: { ...viewer, consent: withhold(viewer.consent) },
    anonymousId,
    token: await signPerson(env, live, person, anonymousId, now),
  };

  function toStranger({ manifest: { settings } }: LiveSite, stableId: string): Viewer {
    // As answerManifest tells a browser that has not chosen.
    const isStrict = env.ATTUNE_LOCAL !== "1" && settings.consentRegion !== "everywhere" && asksFirst(request.cf);
    const consent = grantedPurposes({}, isStrict ? "off" : settings.consentDefault);
    return { ...NOBODY, stableId, consent: withhold(consent) };
  }

  /** https://w3c.github.io/gpc/: do not sell or share. */
  function withhold(granted: readonly Purpose[] | undefined): readonly Purpose[] | undefined {
    if (request.headers.get("sec-gpc") !== "1") return granted;
    return (granted ?? PURPOSES).filter((purpose) => purpose !== "marketing");
  }
}

/** Null: there is something to decide that only the browser knows: the id of somebody new. */
export function decideSlot(
  { live, viewer }: Visitor,
  slot: string,
  context: JsonObject,
  now: number,
): SlotAnswer | null {
  const isSampled = live.slots.get(slot)?.blocks.some(({ variants }) => variants.some(({ needs }) => needs.id));
  if (isSampled && !viewer.stableId) return null;
  return decideSlots(live, [slot], viewer, context, now)[slot]!;
}
