/** Shared previews as HTML. Every value is escaped; what a block shows stands in a sandbox. */
import { html, raw } from "hono/html";
import { clockIn } from "../../shared/engine/look.ts";
import type { Outcome, VariantWhy } from "../blocks/explain.ts";
import { type Choices, controls } from "./choices.ts";
import type { PreviewImage } from "./image.ts";
import type { BlockAsked, BlockPreview, SlotPreview } from "./preview.ts";
import { STYLE } from "./style.ts";

/** A title, and what to do. */
export type Note = readonly [title: string, text: string];

type Html = ReturnType<typeof html>;

export interface SharedPage {
  /** What the link was made for. */
  request: BlockAsked;
  /** What is looked at now. */
  asked: BlockAsked;
  /** For whom. */
  person: Choices["people"][number];
  choices: Choices;
  preview: BlockPreview;
  /** Null: there is none, or it cannot be painted here. */
  image: PreviewImage | null;
  expiresAt: number;
}

const MARKS: { readonly [outcome in Outcome]: string } = {
  chosen: "Shown",
  "earlier-variant": "Not asked",
  schedule: "Not in its time",
  audience: "Not for this person",
  cap: "Shown often enough",
  consent: "No consent",
  unknown: "Not known",
  error: "Cannot be rendered",
};

/** Wider than the window is seen in part only: who does not ask for a device sees what fits into it. */
const WIDTHS = { window: "Window", phone: "Phone", tablet: "Tablet", desktop: "Desktop" };

/** Links lead nowhere: the sandbox lets none open another window. */
const FRAME =
  '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light"><base target="_blank"><style>body{margin:16px;font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff}img{max-width:100%}</style>';

export async function noteHtml([title, text]: Note): Promise<string> {
  return page(title, html`<main class="note"><h1>${title}</h1><p>${text}</p></main>`);
}

export async function previewHtml(shared: SharedPage): Promise<string> {
  const { request, asked, person, choices, preview, image, expiresAt } = shared;
  const { shown, now, timeZone } = preview;
  const clock = clockIn(timeZone, now);
  const isImageAlone = image !== null && shown.html?.trim() === "";
  const { names } = choices;
  const what = names.get(asked.block ?? "") ?? asked.block ?? asked.slot ?? "A template";
  return page(
    `${what} – preview`,
    html`<header>
<h1>${what}</h1>
<p class="quiet">${sayPlace(asked)} for ${sayPerson(person.name, asked)}, as of ${clock(now)}</p>
</header>
<main>
${controls(request, asked, preview, choices, person.id)}
${isImageAlone ? "" : stage(shown.html, asked)}
${image ? cardHtml(image) : ""}
${"decision" in shown ? explanation(shown, names, clock) : ""}
</main>
<footer><p>Whoever has this link can open it until ${clock(expiresAt)}. Times are those of ${timeZone}. Links and forms in what is shown do nothing here.</p></footer>`,
  );
}

async function page(title: string, body: Html): Promise<string> {
  return `${await html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(STYLE)}</style>
${body}
</html>
`}`;
}

function sayPlace({ block, slot }: BlockAsked): string {
  if (slot === undefined) return "By itself,";
  return block === undefined ? "All that is live in this slot," : `Among all that is live in the slot ${slot},`;
}

function sayPerson(name: string, { device, locale, timeZone, consent }: BlockAsked): string {
  return [
    name,
    device && `on a ${device} device`,
    locale && `in ${locale}`,
    timeZone && `in the zone ${timeZone}`,
    consent && `who allows ${consent.length ? consent.join(", ") : "nothing"}`,
  ]
    .filter(Boolean)
    .join(" ");
}

function stage(shown: string | null, { device }: BlockAsked): Html {
  if (shown === null) return html`<p class="stage empty">The page’s own content stays.</p>`;
  const first = device === "mobile" ? "phone" : (device ?? "window");
  const choice = ([id, name]: [string, string]) =>
    html`<input type="radio" name="width" id="${id}"${id === first ? raw(" checked") : ""}><label for="${id}">${name}</label>`;
  return html`<fieldset class="widths"><legend>Width</legend>${Object.entries(WIDTHS).map(choice)}</fieldset>
<div class="stage" role="region" aria-label="What is shown, at this width" tabindex="0"><iframe sandbox title="What is shown" srcdoc="${FRAME + shown}"></iframe></div>`;
}

function cardHtml({ alt, width, height, png, dark, missing }: PreviewImage): Html {
  const img = (src: string, alt: string) => html`<img src="${src}" width="${width}" height="${height}" alt="${alt}">`;
  return html`<h2>As an image in an e-mail</h2>
<div class="cards">${img(png, alt)}${dark ? img(dark, "The same, for readers whose mail is dark") : ""}</div>
<p>Without images it reads: ${alt || "nothing"}</p>
${missing ? html`<p>${missing} of its pictures could not be had: their rooms are empty.</p>` : ""}`;
}

function explanation(
  { says, decision, text, link, next, why }: SlotPreview,
  names: Choices["names"],
  clock: (instant: number) => string,
): Html {
  const blocks = Map.groupBy(why, ({ block }) => block);
  return html`<h2>What is decided</h2>
<p class="lead">${says}</p>
${decision.reason === "simulated" ? "" : html`<p>${next ? `From ${clock(next.at)} on, if nothing new happens: ${next.says}` : "Time alone changes nothing of it that can be foreseen."}</p>`}
${link ? html`<p>In an e-mail, a click leads to ${link}</p>` : ""}
${text ? html`<details><summary>As plain text in an e-mail</summary><pre>${text}</pre></details>` : ""}
<h2>Each variant, as it is asked</h2>
${[...blocks].map(
  ([block, rows]) => html`<h3>${names.has(block) ? `${names.get(block)} (${block})` : block}</h3>
<ol>${rows.map(variantRow)}</ol>`,
)}`;
}

function variantRow({ variant, reason, says }: VariantWhy): Html {
  return html`<li class="${reason}"><b>${variant}</b><span class="mark">${MARKS[reason]}</span><p>${says}</p></li>
`;
}
