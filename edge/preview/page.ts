/** `GET /preview/:token`: a shared preview as a page, for people without a key. No script is on it, and none runs in what it shows. */
import type { ManifestBlock } from "../../shared/manifest.ts";
import { listPublications, readBlockNames } from "../db/blocks.ts";
import { readPreview } from "../db/previews.ts";
import type { Env } from "../env.ts";
import { readSite } from "../manifest/read.ts";
import { Problem } from "../problem.ts";
import { verifyToken } from "../tokens.ts";
import { type Choices, listPeople, readChoices, readPerson } from "./choices.ts";
import { type Note, noteHtml, previewHtml } from "./html.ts";
import { paintPreview } from "./image.ts";
import { type BlockAsked, type BlockPreview, previewBlock, type SharedAsked } from "./preview.ts";

const TOKEN_CHARACTERS = 1_000;
/** Published versions that can be chosen, the newest. */
const VERSIONS = 20;

/** What is shown inherits it: blocks bring their own styles and pictures, and nothing that runs or frames. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; font-src https: data:; media-src https: data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const NOTES = {
  unknown: ["This link is not complete", "It was not made here, or part of it was lost on the way. Ask for it again."],
  expired: ["This preview has expired", "Whoever sent the link can make a new one."],
  revoked: ["This preview was taken back", "Whoever sent the link can make a new one."],
  person: ["The person of this preview is gone", "What was stored of them was deleted since the link was made."],
  block: ["There is nothing to show", "This version of the block does not exist, or not any more."],
} as const satisfies { [name: string]: Note };

export async function answerPreview(env: Env, url: string, token: string): Promise<Response> {
  const present = Date.now();
  const said = token.length <= TOKEN_CHARACTERS ? await verifyToken(env, "preview", token) : null;
  if (!said) return respond(404, noteHtml(NOTES.unknown));
  if (said.expiresAt <= present) return respond(410, noteHtml(NOTES.expired));
  const shared = await readPreview(env.DB, said.siteId, said.id, present);
  const live = shared && (await readSite(env, said.siteId, present));
  if (!live) return respond(410, noteHtml(NOTES.revoked));

  const { timeZone } = live.manifest.settings;
  const { request, expiresAt } = shared;
  const query = new URL(url).searchParams;
  const choices = await readAllChoices(env.DB, said.siteId, request, live.manifest.blocks);
  try {
    const wanted = { ...request, ...readChoices(query, request, choices, timeZone) };
    const { asked, preview } = await look(env, said.siteId, wanted, present);
    const image = await paintPreview(env, preview);
    const person = readPerson(query, choices);
    return respond(200, previewHtml({ request, asked, person, choices, preview, image, expiresAt }));
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error;
    const isPersonGone = error.errors?.[0]?.pointer === "/profile";
    return respond(410, noteHtml(isPersonGone ? NOTES.person : NOTES.block));
  }
}

/** What is not among what is looked at cannot be shown in place of it: another version may lack a variant. */
async function look(
  env: Env,
  siteId: string,
  asked: BlockAsked,
  present: number,
): Promise<{ asked: BlockAsked; preview: BlockPreview }> {
  try {
    return { asked, preview: await previewBlock(env, siteId, asked, present) };
  } catch (error) {
    if (!(error instanceof Problem) || error.errors?.[0]?.pointer !== "/show") throw error;
    const bare = { ...asked, show: undefined };
    return { asked: bare, preview: await previewBlock(env, siteId, bare, present) };
  }
}

async function readAllChoices(
  db: D1Database,
  siteId: string,
  request: SharedAsked,
  live: readonly ManifestBlock[],
): Promise<Choices> {
  const { block, slot } = request;
  const keys = live.filter((it) => it.slot === slot).map(({ key }) => key);
  const [versions, names] = await Promise.all([
    block === undefined ? [] : listPublications(db, siteId, block, VERSIONS),
    readBlockNames(db, siteId, block === undefined ? keys : [...keys, block]),
  ]);
  return { versions, isLive: live.some(({ key }) => key === block), names, people: listPeople(request) };
}

async function respond(status: number, body: string | Promise<string>): Promise<Response> {
  return new Response(await body, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": POLICY,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-robots-tag": "noindex, nofollow",
    },
  });
}
