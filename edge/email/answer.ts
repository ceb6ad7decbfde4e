/**
 * `/e/:token/:slot`: a slot for the recipient of an e-mail. For services that take an error for content and for mail programs that keep
 * an error for an image: always 200 or a redirect, within 400 ms but for painting; for a token that is expired or whose person
 * is gone what anybody gets, for one that is forged nothing.
 */
import type { WireDecision } from "../../shared/wire.ts";
import { escapeHtml } from "../blocks/liquid/html.ts";
import { answerWithin, DEADLINE_MS, patienceOf } from "../deadline.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import type { LiveSite } from "../manifest/live.ts";
import { readSite } from "../manifest/read.ts";
import { type EmailToken, verifyToken } from "../tokens.ts";
import { type ContentForm, type Form, type ImageForm, readAddress } from "./address.ts";
import { cardOf, type GivenCard } from "./card.ts";
import { classifyFetcher, type Fetcher } from "./fetcher.ts";
import { type Given, giveNobody, giveSlot, renderGiven } from "./give.ts";
import { BLANK, paintCard } from "./image.ts";
import { homeOf } from "./link.ts";
import { type Act, recordAct } from "./record.ts";
import { toPlainText } from "./text.ts";

/** After this nothing is decided for good any more; what is being kept by then gets the rest. */
const AIM_MS = 300;
/** Services that build e-mails keep what they fetch at least this long, whatever they are told. */
const CONTENT_SECONDS = 300;
const IMAGE_SECONDS = 3_600;

const HEADERS = {
  "x-robots-tag": "noindex",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** What all forms of an answer are made of. */
interface Asked {
  env: Env;
  context: ExecutionContext;
  live: LiveSite;
  said: EmailToken;
  slot: string;
  /** Of the slot, without an ending. */
  url: string;
  fetcher: Fetcher;
  now: number;
}

/** What is fetched at send time. */
interface Content {
  html: string;
  text: string;
  decision: WireDecision | null;
  /** Where to click: it leads to the link of the same decision. Null where that has none. */
  link: string | null;
  image: ImageLinks | null;
  /** When it may be another, ISO 8601; null: never. */
  until: string | null;
}

interface ImageLinks {
  src: string;
  src2x: string;
  /** For readers whose mail is dark; left out where the card says no other theme. */
  dark?: string;
  dark2x?: string;
  alt: string;
  width: number;
  height: number;
}

const NOTHING: Content = { html: "", text: "", decision: null, link: null, image: null, until: null };

export async function answerEmail(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const now = Date.now();
  const { pathname, origin } = new URL(request.url);
  const { token, slot, form } = readAddress(pathname, request.headers.get("accept"));
  try {
    const isRead = request.method === "GET" || request.method === "HEAD";
    const said = isRead && slot ? await verifyToken(env, "email", token) : null;
    const live = said && (await answerWithin(patienceOf(env, DEADLINE_MS), readSite(env, said.siteId, now, context)));
    if (!said || !live) return answerNothing(form);
    const url = `${origin}/e/${token}/${slot}`;
    const asked = { env, context, live, said, slot, url, fetcher: classifyFetcher(request, form), now };
    if (form === "click") return await answerClick(asked);
    return typeof form === "object" ? await answerImage(asked, origin, form) : await answerContent(asked, form);
  } catch (error) {
    log("error", { route: "/e/:token/:slot", error: String(error) });
    return answerNothing(form);
  }
}

function answerNothing(form: Form): Response {
  if (form === "click") return respond(OVER, "text/html; charset=utf-8", 0);
  return typeof form === "object" ? respond(BLANK, "image/png", 0) : respondContent(NOTHING, form, 0);
}

async function answerContent(asked: Asked, form: ContentForm): Promise<Response> {
  const { now } = asked;
  const [{ until }, content] = await give(asked, (given) => buildContent(asked, given, form));
  const seconds = until === null ? CONTENT_SECONDS : Math.floor((until - now) / 1000);
  return respondContent(content, form, Math.min(seconds, CONTENT_SECONDS));
}

async function answerImage(asked: Asked, origin: string, { scale, isDark }: ImageForm): Promise<Response> {
  const { env, context, live, now } = asked;
  const [given, shown] = await give(asked, async (given) => {
    const card = cardOf(given, live, now);
    return card && { card, painted: await card.paint(isDark) };
  });
  const picture = shown && (await paintCard(env, context, origin, shown.painted, scale));
  if (!picture) return respond(BLANK, "image/png", 0);
  record(asked, given, { name: "Email Opened" });
  const isStill = given.isKept && given.until === null && shown.card.isStill && picture.isWhole;
  return respond(picture.png, "image/png", isStill ? IMAGE_SECONDS : 0);
}

async function answerClick(asked: Asked): Promise<Response> {
  const [given] = await give(asked, async () => null);
  const link = given.link ?? homeOf(asked.live.manifest.settings.origins);
  if (!link) return respond(OVER, "text/html; charset=utf-8", 0);
  record(asked, given, { name: "Email Link Clicked", link });
  return new Response(null, { status: 302, headers: { ...HEADERS, location: link, "cache-control": keep(0) } });
}

/** Decides, and makes of it what is answered: both in time, or else of what anybody gets. */
async function give<T>(asked: Asked, make: (given: Given) => Promise<T>): Promise<[Given, T]> {
  const { env, context, live, said, slot, fetcher, now } = asked;
  let isLate = false;
  const mayKeep = () => !isLate && fetcher !== "scanner";
  const giving = (async (): Promise<[Given, T]> => {
    const given = await giveSlot(env, live, said, slot, now, mayKeep);
    return [given, await make(given)];
  })();
  const passed = Date.now() - now;
  try {
    const given = await answerWithin(Math.max(0, patienceOf(env, AIM_MS) - passed), giving);
    if (given) return given;
    isLate = true;
    const late = await answerWithin(patienceOf(env, DEADLINE_MS - AIM_MS), giving);
    if (late?.[0].isKept) return late;
    context.waitUntil(giving.catch((error) => log("warn", { route: "/e/:token/:slot", late: String(error) })));
  } catch (error) {
    log("warn", { route: "/e/:token/:slot", error: String(error) });
  }
  const given = giveNobody(env, live, said, slot, now);
  return [given, await make(given)];
}

/** Behind the answer; of people alone. */
function record({ env, context, live, said, fetcher, now }: Asked, given: Given, act: Act): void {
  if (fetcher !== "person") return;
  const recording = recordAct(env, live, said.send, given, act, now);
  context.waitUntil(recording.catch((error) => log("warn", { route: "/e/:token/:slot", record: String(error) })));
}

async function buildContent({ live, url, now }: Asked, given: Given, form: ContentForm): Promise<Content> {
  const { decision, until, variant } = given;
  const link = given.link && `${url}/click`;
  const card = cardOf(given, live, now);
  const isImageAlone = variant?.source.template.trim() === "";
  const image = card && (isImageAlone || form === "json") ? await buildImage(card, url) : null;
  const html = image && isImageAlone ? writeImage(image, link) : await renderGiven(given, now);
  return {
    html,
    text: form === "html" ? "" : await toPlainText(html),
    decision: { ...decision, until: toIso(decision.until) },
    link,
    image,
    until: toIso(until),
  };
}

async function buildImage({ card, alt }: GivenCard, url: string): Promise<ImageLinks> {
  const { width, height, dark } = card;
  return {
    src: `${url}.png`,
    src2x: `${url}.2x.png`,
    ...(dark && { dark: `${url}.dark.png`, dark2x: `${url}.dark.2x.png` }),
    alt: await alt(),
    width,
    height,
  };
}

function writeImage({ src, src2x, dark, dark2x, alt, width, height }: ImageLinks, link: string | null): string {
  const source = dark ? `<source media="(prefers-color-scheme: dark)" srcset="${dark} 1x, ${dark2x} 2x">` : "";
  const style = "display:block;border:0;max-width:100%;height:auto";
  const size = `width="${width}" height="${height}"`;
  const img = `<img src="${src}" srcset="${src2x} 2x" ${size} alt="${escapeHtml(alt)}" style="${style}">`;
  const picture = `<picture>${source}${img}</picture>`;
  return link ? `<a href="${link}">${picture}</a>` : picture;
}

function respondContent(content: Content, form: ContentForm, seconds: number): Response {
  const more = { vary: "accept" };
  if (form === "json") return respond(JSON.stringify(content), "application/json", seconds, more);
  if (form === "text") return respond(content.text, "text/plain; charset=utf-8", seconds, more);
  return respond(content.html, "text/html; charset=utf-8", seconds, more);
}

/** Opened in a browser, what an author wrote has no part in the Worker's origin. */
const SANDBOX =
  "default-src 'none'; img-src *; font-src *; style-src * 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";

function respond(body: BodyInit, type: string, seconds: number, more: Record<string, string> = {}): Response {
  return new Response(body, {
    headers: {
      ...HEADERS,
      ...more,
      "content-type": type,
      "content-security-policy": SANDBOX,
      "cache-control": keep(seconds),
    },
  });
}

/** Personal, so never in a shared cache. */
function keep(seconds: number): string {
  return seconds > 0 ? `private, max-age=${seconds}` : "private, no-cache, max-age=0";
}

function toIso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

const OVER = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Link expired</title><p style="font:16px/1.5 system-ui;margin:4em auto;max-width:30em">This link is not valid any more.</p></html>
`;
