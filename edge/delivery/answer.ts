/** What is said of a visitor and of slots, as it travels to a browser: in an answer of its own, or at the end of a page. */
import type { DecideAnswer, IngestAnswer } from "../../shared/wire.ts";
import type { SlotAnswer, Viewer } from "../blocks/decide.ts";
import type { Env } from "../env.ts";
import type { LiveSite } from "../manifest/live.ts";
import type { Person } from "../profiles/person.ts";
import { signToken } from "../tokens.ts";
import { userOf } from "./viewer.ts";

export const TOKEN_CHARACTERS = 16_384;

export function buildAnswer(
  viewer: Viewer,
  decided: { [slot: string]: SlotAnswer },
  token: string | null,
  until: number | null,
): Omit<DecideAnswer, keyof IngestAnswer> {
  return {
    slots: Object.fromEntries(Object.entries(decided).map(([slot, it]) => [slot, toSlot(it)])),
    segments: Object.fromEntries(Object.entries(viewer.segments).map(([key, [, until]]) => [key, toIso(until)])),
    stableId: viewer.stableId,
    token,
    until: toIso(until),
  };
}

/** As JSON. What everybody gets is not written anew for each: most of an answer is that. */
export function writeAnswer(
  ingested: IngestAnswer,
  viewer: Viewer,
  decided: { [slot: string]: SlotAnswer },
  token: string | null,
  until: number | null,
): string {
  const { slots, ...rest } = buildAnswer(viewer, decided, token, until);
  const texts = Object.entries(decided).map(([slot, { html, json }]) => {
    const decision = JSON.stringify(slots[slot]!.decision);
    return `${JSON.stringify(slot)}:{"html":${json ?? JSON.stringify(html)},"decision":${decision}}`;
  });
  return `{"slots":{${texts.join()}},${JSON.stringify({ ...ingested, ...rest }).slice(1)}`;
}

/** Until when time alone changes nothing of what is said. */
export function untilOf(viewer: Viewer, decided: { [slot: string]: SlotAnswer }): number | null {
  const times = [viewer.wakesAt, ...Object.values(decided).map(({ until }) => until)].filter((time) => time !== null);
  return times.length ? Math.min(...times) : null;
}

/** A token that says who somebody is; null where it would be longer than any is taken. */
export async function signPerson(
  env: Env,
  live: LiveSite,
  person: Person,
  anonymousId: string,
  now: number,
): Promise<string | null> {
  const visitor = live.identity.identifierOf("anonymousId", anonymousId);
  const { profile, group, consent } = person;
  const signed = await signToken(env, "profile", {
    siteId: live.manifest.siteId,
    anonymousId,
    birthId: group.nodes.find(({ identifier }) => identifier === visitor)!.birthId,
    profileId: profile.id,
    stableId: profile.stableId,
    manifestVersion: live.manifest.version,
    segments: profile.decisions,
    wakesAt: profile.wakesAt,
    issuedAt: now,
    user: userOf(person),
    ...(consent && { consent }),
  });
  return signed.length > TOKEN_CHARACTERS ? null : signed;
}

function toSlot({ html, decision }: SlotAnswer): DecideAnswer["slots"][string] {
  return { html, decision: { ...decision, until: toIso(decision.until) } };
}

function toIso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
