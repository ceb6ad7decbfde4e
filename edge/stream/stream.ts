/**
 * The Worker in front of the site's own server: everything that is not the Worker's own is asked of the origin and answered as it
 * comes, and the slots of its pages are filled on the way. The visitor is found while the origin answers.
 */
import type { HandedOver } from "../../shared/wire.ts";
import type { SlotAnswer } from "../blocks/decide.ts";
import { answerWithin, DEADLINE_MS, patienceOf } from "../deadline.ts";
import { buildAnswer, untilOf } from "../delivery/answer.ts";
import { SLOT_CHARACTERS, SLOTS } from "../delivery/decide.ts";
import { type DeviceCookie, keepDevice, readCookie } from "../delivery/device.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSiteByWriteKey } from "../manifest/read.ts";
import type { LiveTemplate } from "../manifest/template.ts";
import { PROFILE_TOKEN_FRESH_MS } from "../tokens.ts";
import { readContext, readDevice } from "./context.ts";
import { readSmall } from "./guard.ts";
import { answerUnreachable, askOrigin } from "./origin.ts";
import { type Content, fillPage, isFillable, privately } from "./page.ts";
import { type Elements, readPlain } from "./plain.ts";
import { decideSlot, readVisitor, type Visitor } from "./visitor.ts";

/** For so long the script believes what it finds in a page: browsers show pages of before. */
const HANDED_MS = PROFILE_TOKEN_FRESH_MS;

/** A fetch of the page's own scripts is not for somebody's eyes; what says nothing of that may be. */
const DOCUMENTS = ["document", "iframe", "frame", null];

export async function answerFromOrigin(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const { method, headers } = request;
  const isDocument = /^(GET|HEAD)$/.test(method) && DOCUMENTS.includes(headers.get("sec-fetch-dest"));
  if (!isDocument || !headers.get("accept")?.includes("text/html")) return askOrigin(request, env, false);
  const now = Date.now();
  const finding = answerWithin(patienceOf(env, DEADLINE_MS), findSite(request, env, context, now)).catch(toNull);
  const asked = await askOrigin(request, env, true);
  const found = isFillable(asked) ? await finding : null;
  if (!found) return asked;
  // A cache that asks for the head only believes it of the page that it has.
  if (!asked.body) return new Response(null, { status: 200, headers: privately(asked) });
  const small = await readSmall(asked).catch(toNull);
  if (!small) return answerUnreachable();
  const { page, isParsable } = small;
  if (!isParsable) return page;
  const filled = fillPage(page, ...buildFilling(request, found.visitor, now));
  const { cookie } = found;
  const kept = keepDevice(cookie, { mode: "full", anonymousId: cookie.kept?.id }, now);
  for (const [name, value] of Object.entries(kept)) filled.headers.append(name, value);
  return filled;
}

interface Found {
  live: LiveSite;
  cookie: DeviceCookie;
  /** Null: there was no time to find out. */
  visitor: Promise<Visitor | null>;
}

/** Null where nothing is published. */
async function findSite(request: Request, env: Env, context: ExecutionContext, now: number): Promise<Found | null> {
  const live = await readSiteByWriteKey(env, context, env.ORIGIN_KEY ?? "", now);
  if (!live?.slots.size) return null;
  const cookie = readCookie(request.headers, live.manifest.siteId);
  const reading = readVisitor(request, env, context, live, cookie.kept?.id, now).catch(toNull);
  context.waitUntil(reading);
  return { live, cookie, visitor: answerWithin(now + patienceOf(env, DEADLINE_MS) - Date.now(), reading) };
}

/** What the slots of one page show, and what its end tells the script. */
function buildFilling(
  request: Request,
  finding: Promise<Visitor | null>,
  now: number,
): [decide: (slot: string) => Promise<Content | null>, handOver: () => string | null] {
  const context = readContext(request);
  const decided: { [slot: string]: SlotAnswer } = Object.create(null);
  let visitor: Visitor | null = null;

  return [
    async (slot) => {
      visitor = await finding;
      if (!visitor || slot.length > SLOT_CHARACTERS) return null;
      if (!decided[slot]) {
        if (Object.keys(decided).length === SLOTS) return null;
        const answer = decideSlot(visitor, slot, context, now);
        if (!answer) return null;
        decided[slot] = answer;
      }
      return toContent(decided[slot]);
    },
    () => {
      if (!visitor) return null;
      const { viewer, token, anonymousId } = visitor;
      const until = Math.min(untilOf(viewer, decided) ?? Infinity, now + HANDED_MS);
      const { stableId, ...answer } = buildAnswer(viewer, decided, token, until);
      const handed: HandedOver = {
        ...answer,
        ...(stableId && { stableId }),
        ...(anonymousId && { anonymousId }),
        device: readDevice(request.headers),
      };
      return JSON.stringify(handed);
    },
  ];
}

/** What a template shows everybody alike is read once. */
const shared = new WeakMap<LiveTemplate, Elements | null>();

function toContent({ html, decision, block, variant }: SlotAnswer): Content | null {
  if (html === null) return null;
  const template = variant ? variant.template : block!.fallback!;
  let elements = shared.get(template);
  if (elements === undefined) {
    elements = readPlain(html);
    if (template.isShared) shared.set(template, elements);
  }
  return elements && { id: decision.id, html, elements };
}

function toNull(error: unknown): null {
  log("warn", { stream: String(error) });
  return null;
}
