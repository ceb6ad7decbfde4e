/** The corner panel: what Attune knows and decides about this visitor, live. Everything in it comes from `window.attune`. */
import { escapeHtml } from "./markup.ts";
import { SEGMENTS } from "./seed.ts";
import {
  anonymousId,
  type ConsentMode,
  consent,
  debug,
  explain,
  type Memberships,
  type Message,
  on,
  reset,
  segments,
  stored,
  userId,
} from "./window.ts";

const OPEN = "northbound.panel";
/** The choice is Attune's to keep; this is only what the radio buttons show on the next page. */
const CONSENT = "northbound.consent";
const JOURNAL = "northbound.journal";
const JOURNAL_LENGTH = 40;
const SHOWN_EVENTS = 7;
/** Sentences such as "1 more view before 14:00" are asked for anew this often; countdowns run each second. */
const EXPLAIN_MS = 10_000;
const WIDE = "(min-width: 78rem)";

/** `sent` on the way out of a page that did not hear the answer, and could not keep it for the next one. */
type State = "waiting" | "sent" | "delivered" | "refused";

/** What the panel remembers from page to page in this tab. */
interface Journal {
  events: { id: string; name: string; at: number; state: State }[];
  /** Segment → when it was entered, as far as this tab saw it. */
  since: { [key: string]: number };
}

interface SegmentLine {
  item: HTMLElement;
  left: HTMLElement;
  short: HTMLElement;
  full: HTMLElement;
}

interface SlotLine {
  slot: string;
  variant: string | null;
  reason: string;
  until: string | null;
}

interface Choice {
  value: string;
  label: string;
}

const MODES: (Choice & { value: ConsentMode })[] = [
  { value: "full", label: "All" },
  { value: "session", label: "This tab" },
  { value: "memory", label: "This page" },
  { value: "off", label: "None" },
];

const SHOP = "/demo/";
/** Where the same pages come through the Worker, which fills them on their way. */
const STREAM = `${SHOP}stream/`;
const isStreamed = location.pathname.startsWith(STREAM);
const WAYS = [
  { value: "script", label: "The script" },
  { value: "stream", label: "The HTML stream" },
];

export function openPanel(): void {
  const panel = document.createElement("aside");
  panel.className = "panel";
  panel.setAttribute("aria-label", "Attune, live");
  panel.innerHTML = FRAME;
  document.body.append(panel);

  const part = <T extends HTMLElement = HTMLElement>(name: string) => panel.querySelector<T>(`[data-panel="${name}"]`)!;
  const journal = readJournal();
  /** What other pages of this tab captured. */
  const earlier = new Set(journal.events.map(({ id }) => id));
  const says = new Map<string, string>();
  const slots = new Map<string, SlotLine>();
  let memberships: Memberships = {};

  // Made once and then changed in place: what is open or has the focus stays so.
  const lines = new Map<string, SegmentLine>();
  const addLine = ({ key, name }: { key: string; name: string }) => {
    const item = document.createElement("li");
    item.className = "panel-segment";
    item.dataset["segment"] = key;
    item.innerHTML = `<details><summary><span class="panel-row"><span>${escapeHtml(name)}</span><time></time></span><small></small></summary><p></p></details>`;
    part("segments").append(item);
    const inner = (selector: string) => item.querySelector<HTMLElement>(selector)!;
    lines.set(key, { item, left: inner("time"), short: inner("small"), full: inner("p") });
  };
  SEGMENTS.forEach(addLine);

  const draw = () => {
    const now = Date.now();
    const count = Object.keys(memberships).length;
    part("count").textContent = count === 1 ? "1 segment" : `${count} segments`;
    for (const [key, { item, left, short, full }] of lines) {
      const inside = Object.hasOwn(memberships, key);
      const until = memberships[key];
      const since = journal.since[key];
      const sentence = says.get(key) ?? "";
      item.dataset["inside"] = String(inside);
      setText(left, until ? formatLeft(Date.parse(until) - now) : inside ? "stays" : "");
      setText(short, `${inside && since ? `since ${formatClock(since)} · ` : ""}${shorten(sentence)}`);
      setText(full, sentence);
    }
    write(
      part("slots"),
      [...slots.values()].map((line) => slotLine(line, now)),
    );
    write(part("events"), journal.events.slice(-SHOWN_EVENTS).reverse().map(eventLine));
    part("no-slots").hidden = slots.size > 0;
    part("none").hidden = journal.events.length > 0;
  };
  const save = () => {
    journal.events.splice(0, Math.max(0, journal.events.length - JOURNAL_LENGTH));
    sessionStorage.setItem(JOURNAL, JSON.stringify(journal));
    draw();
  };
  /** Who the visitor is, by each of the names that go around; and what is still to be sent. */
  const introduce = async () => {
    const kept = await stored();
    const stableId = kept?.state["stableId"];
    const ids = { anonymousId: anonymousId(), userId: userId(), stableId };
    const known = Object.entries(ids).filter(([, id]) => id);
    write(
      part("ids"),
      known.map(([name, id]) => `<div><dt>${name}</dt><dd>${escapeHtml(`${id}`)}</dd></div>`),
    );
    const waits = new Set(kept?.outbox.map(({ messageId }) => messageId));
    for (const event of journal.events)
      if (event.state === "waiting" && earlier.has(event.id) && !waits.has(event.id)) event.state = "sent";
    save();
  };
  const ask = async () => {
    introduce();
    for (const { key, says: sentence } of (await explain()) ?? []) {
      says.set(key, sentence);
      if (!lines.has(key)) addLine({ key, name: key }); // a developer has made it since
    }
    draw();
  };
  const settle = (ids: (string | undefined)[], state: State) => {
    for (const event of journal.events) if (ids.includes(event.id)) event.state = state;
    save();
  };

  on("ready", ({ anonymousId }) => {
    memberships = segments();
    part("who").textContent = anonymousId ? `visitor ${anonymousId.slice(0, 8)}` : "nobody";
    part("mail").textContent = mailCommand(anonymousId ?? "…");
    ask();
  });
  on("event", (message) => {
    journal.events.push({ id: message.messageId, name: nameOf(message), at: Date.now(), state: "waiting" });
    save();
    ask();
  });
  on("ack", ({ messageIds }) => settle(messageIds, "delivered"));
  on("rejected", ({ message }) => settle([message?.messageId], "refused"));
  on("segments", ({ segments: now, entered, exited }) => {
    memberships = now;
    for (const key of entered) journal.since[key] = Date.now();
    for (const key of exited) delete journal.since[key];
    save();
    ask();
  });
  on("slot", ({ slot, element, decision }) => {
    slots.set(slot, { slot, variant: decision.variant, reason: decision.reason, until: decision.until });
    flash(element, decision.variant);
    draw();
  });
  on("consent", ({ mode }) => {
    localStorage.setItem(CONSENT, mode);
    choose(mode);
  });
  const choose = (mode: string) => {
    const input = panel.querySelector<HTMLInputElement>(`input[value="${CSS.escape(mode)}"]`);
    if (input) input.checked = true;
    if (mode !== "off") return;
    // No visit, so nobody: the script says nothing more, and what it said does not hold.
    memberships = {};
    says.clear();
    slots.clear();
    part("who").textContent = "nobody";
    draw();
  };

  // Back from pages that went on with the journal.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) Object.assign(journal, readJournal());
  });
  panel.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.name === "attune-consent") consent(target.value as ConsentMode);
    else location.assign(location.href.replace(isStreamed ? STREAM : SHOP, isStreamed ? SHOP : STREAM));
  });
  part("reset").addEventListener("click", () => {
    reset();
    for (const storage of [sessionStorage, localStorage]) {
      for (const key of Object.keys(storage))
        if (key.startsWith("northbound.") && key !== OPEN && key !== CONSENT) storage.removeItem(key);
    }
    location.assign("./");
  });
  part("debug").addEventListener("click", () => debug());
  part("toggle").addEventListener("click", () => toggle(panel.dataset["open"] === undefined));

  const toggle = (open: boolean) => {
    if (open) panel.dataset["open"] = "";
    else delete panel.dataset["open"];
    part("body").hidden = !open;
    part("toggle").setAttribute("aria-expanded", String(open));
    localStorage.setItem(OPEN, open ? "open" : "closed");
  };
  const wanted = localStorage.getItem(OPEN);
  toggle(wanted ? wanted === "open" && matchMedia(WIDE).matches : matchMedia(WIDE).matches);

  choose(localStorage.getItem(CONSENT) ?? "full");

  setInterval(draw, 1_000);
  setInterval(ask, EXPLAIN_MS);
  draw();
}

const FRAME = `<button class="panel-head" type="button" data-panel="toggle" aria-controls="panel-body">
  <span class="panel-mark" aria-hidden="true"></span><span>Attune</span>
  <span class="panel-badge" data-panel="count"></span><span class="panel-arrow" aria-hidden="true"></span>
</button>
<div class="panel-body" id="panel-body" data-panel="body">
  <dl class="panel-ids" data-panel="ids"></dl>
  <button class="panel-debug" type="button" data-panel="debug">Inspect and simulate</button>
  <h2>Segments <small data-panel="who"></small></h2>
  <ul data-panel="segments"></ul>
  <h2>On this page</h2>
  <p class="panel-none" data-panel="no-slots">No slot here.</p>
  <ul data-panel="slots"></ul>
  <h2>Events</h2>
  <p class="panel-none" data-panel="none">Nothing yet: look at a product.</p>
  <ul data-panel="events"></ul>
  ${choice("attune-consent", "What may be kept", MODES, "full")}
  ${choice("attune-way", "Who fills the slots", WAYS, isStreamed ? "stream" : "script")}
  <details class="panel-mail"><summary>The same hero, as an e-mail fetches it</summary><p>With the secret key, so from a terminal and never from a page:</p><pre><code data-panel="mail"></code></pre></details>
  <button class="panel-reset" type="button" data-panel="reset">Start over as somebody new</button>
</div>`;

function choice(name: string, legend: string, choices: Choice[], chosen: string): string {
  const inputs = choices.map(
    ({ value, label }) =>
      `<label><input type="radio" name="${name}" value="${value}"${value === chosen ? " checked" : ""}><span>${label}</span></label>`,
  );
  return `<fieldset class="panel-choice"><legend>${legend}</legend>${inputs.join("")}</fieldset>`;
}

/**
 * The finding of a sentence such as `did "X" at least 2 times: no (1 time so far, 1 more needed), until …, then yes`: without
 * what the dot and the countdown beside it say, and without the date of a time of day.
 */
function shorten(sentence: string): string {
  return sentence
    .slice(sentence.lastIndexOf(": ") + 2)
    .replace(/, until .*, then \w+$/, "")
    .replace(/^(yes|no) \((.*?)\)/, "$2")
    .replace(/(\w{3}) \d+ \w{3} \d{4} (\d\d:\d\d)/g, "$1 $2");
}

function slotLine({ slot, variant, reason, until }: SlotLine, now: number): string {
  const left = until ? `<time>${formatLeft(Date.parse(until) - now)}</time>` : "<time>stays</time>";
  return `<li data-slot="${escapeHtml(slot)}"><span class="panel-row"><span>${escapeHtml(slot)} → <b>${escapeHtml(variant ?? "the page’s own")}</b></span>${left}</span><small>${escapeHtml(reason)}</small></li>`;
}

function eventLine({ name, at, state }: Journal["events"][number]): string {
  return `<li class="panel-event" data-state="${state}"><time>${formatClock(at)}</time><span>${escapeHtml(name)}</span><small>${state}</small></li>`;
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function write(list: HTMLElement, lines: string[]): void {
  const html = lines.join("");
  if (list.dataset["drawn"] === html) return;
  list.dataset["drawn"] = html;
  list.innerHTML = html;
}

/** Shows for a moment which part of the page has just been decided. */
function flash(element: Element, variant: string | null): void {
  if (variant === null) return;
  element.classList.remove("just-decided");
  requestAnimationFrame(() => element.classList.add("just-decided"));
}

function nameOf({ type, event, name }: Message): string {
  if (type !== "page") return event ?? type;
  return `Page ${name ?? (location.pathname.split("/").at(-1) || "home")}`;
}

function mailCommand(anonymousId: string): string {
  const url = location.origin;
  return `token=$(curl -s ${url}/api/email/tokens \\
  -H 'Authorization: Bearer sk_demo' \\
  -H 'Content-Type: application/json' \\
  -d '{"send":"demo","recipients":
      [{"anonymousId":"${anonymousId}"}]}' |
  sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
curl -s ${url}/e/$token/hero`;
}

/** `23:59:08`, `0:42`, or days from two on. */
function formatLeft(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1_000));
  const days = Math.floor(seconds / 86_400);
  if (days >= 2) return `${days} days`;
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function formatClock(at: number): string {
  return new Date(at).toLocaleTimeString("en-GB");
}

function readJournal(): Journal {
  try {
    const journal = JSON.parse(sessionStorage.getItem(JOURNAL) ?? "") as Journal;
    if (Array.isArray(journal.events)) return journal;
  } catch {
    // none yet
  }
  return { events: [], since: {} };
}
