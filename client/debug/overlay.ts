/** The panel over the page: a shadow root that neither the page's styles nor its policy reach, and that leaves nothing behind. */
import type { Message } from "../../shared/event.ts";
import { type Child, h, morph } from "./dom.ts";
import type { Inside } from "./inside.ts";
import { keepJournal, textOf } from "./journal.ts";
import { createSimulation } from "./simulation.ts";
import { listSlots } from "./slot.ts";
import { listStandings, NO_PLAN, type Plan, type Standing } from "./standing.ts";
import { STYLE } from "./style.ts";
import { viewConsent } from "./views/consent.ts";
import type { Model, View } from "./views/model.ts";
import { viewOutbox } from "./views/outbox.ts";
import { button, hint } from "./views/parts.ts";
import { viewProfile } from "./views/profile.ts";
import { viewSegments } from "./views/segments.ts";
import { summarize, viewSimulate } from "./views/simulate.ts";
import { viewSlots } from "./views/slots.ts";
import { viewTimeline } from "./views/timeline.ts";

const TABS: { [name: string]: View } = {
  Segments: viewSegments,
  Slots: viewSlots,
  Profile: viewProfile,
  Outbox: viewOutbox,
  Consent: viewConsent,
  Timeline: viewTimeline,
  Simulate: viewSimulate,
};
/** What can be said without a visit. */
const ALWAYS = ["Consent", "Timeline"];
const TICK_MS = 1_000;
const COPIED_MS = 1_500;
const WAITING = 500;
const OUTLINE_MS = 2_500;
/** What happens in the panel is none of the page's business: its shortcuts and menus stay as they are. */
const KEPT = [
  "click",
  "keydown",
  "keyup",
  "keypress",
  "input",
  "change",
  "pointerdown",
  "pointerup",
  "mousedown",
  "mouseup",
];

/** What is kept in the tab, so that a reload shows it again; nothing of the visitor. */
interface Kept {
  /** Undefined: closed. */
  tab?: string;
  isLeft?: boolean;
  plan: Plan;
}

export interface Overlay {
  open(): void;
}

/**
 * Shows what the tab had of it, and opens where it had nothing.
 * @param closed is called when nothing of it is left.
 */
export function createOverlay(inside: Inside, closed: () => void): Overlay {
  const { attune, visit, mode, name } = inside;
  const keep = `${name}.debug`;
  const scope = new AbortController();
  const { signal } = scope;
  const kept = readKept(keep);

  const host = document.createElement("attune-debug");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const frame = h("div.frame");
  const outline = h("div.outline", { hidden: true });
  root.append(outline, frame);
  document.documentElement.append(host);

  let before: Element | null = null;
  let filter = "";
  let copied: string | undefined;
  let problem: string | undefined;
  let waiting: Message[] = [];

  // Reckoned when something was heard or when time has changed an answer, not each second.
  let reckoned: { standings: Standing[]; actual: Standing[]; until: number } | undefined;
  const reckon = () => {
    const now = Date.now();
    if (reckoned && now < reckoned.until) return reckoned;
    const it = visit();
    const { plan } = simulation;
    const actual = it ? listStandings(it.state, it.subject(), NO_PLAN, now) : [];
    const standings = it && simulation.isOn() ? listStandings(it.state, it.subject(), plan, now) : actual;
    const ends = [
      ...actual.map(({ until }) => until ?? Infinity),
      ...standings.map(({ until }) => (until ?? Infinity) - plan.shift),
    ];
    reckoned = { standings, actual, until: Math.min(...ends) };
    return reckoned;
  };

  const simulation = createSimulation(
    inside,
    kept.plan,
    () => reckon().standings,
    (error) => {
      problem = error === undefined ? undefined : `The Worker gave no answer: ${textOf(error)}`;
      for (const [slot, { variant, reason }] of Object.entries(error ? {} : simulation.contents))
        journal.add("simulated", `${slot} shows ${variant ?? "the page’s own content"} (${reason})`);
      schedule();
    },
  );
  const save = () => {
    try {
      if (kept.tab || simulation.isOn()) sessionStorage[keep] = JSON.stringify({ ...kept, plan: simulation.plan });
      else delete sessionStorage[keep];
    } catch {
      // Closed to us: it ends with the page.
    }
  };
  const pretend = (changes: Partial<Plan>) => {
    problem = undefined;
    reckoned = undefined;
    simulation.change(changes);
    save();
    schedule();
  };

  let isScheduled = false;
  const schedule = () => {
    if (!isScheduled) queueMicrotask(draw);
    isScheduled = true;
  };
  const draw = () => {
    isScheduled = false;
    if (signal.aborted) return;
    simulation.apply();
    morph(frame, h("div.frame", {}, kept.tab ? drawPanel(kept.tab) : drawBadge()));
  };

  const drawBadge = () =>
    h(
      "div.badge",
      { role: "status", "data-key": "badge" },
      button(["Simulating ", h("b", {}, summarize(simulation, Date.now()))], "open"),
      button("Reset", "reset", "", { class: "small" }),
    );

  const drawPanel = (tab: string) => {
    const model: Model = {
      ...inside,
      now: Date.now(),
      journal,
      simulation,
      ...reckon(),
      waiting,
      filter,
      copied,
      problem,
    };
    const says = [
      attune.key,
      mode() ?? "off",
      visit()?.state.manifest && `manifest ${visit()!.state.manifest!.version}`,
    ];
    return h(
      "div.panel",
      { role: "dialog", "aria-label": "Attune debug", "data-key": "panel", "data-left": kept.isLeft },
      h(
        "header",
        {},
        h("i.logo"),
        h("b", {}, "Attune"),
        h("small", {}, says.filter(Boolean).join(" · ")),
        button("⇄", "side", "", { class: "small", "aria-label": "Other side", title: "Other side" }),
        button("✕", "close", "", { class: "small", "aria-label": "Close", title: "Close (Escape)" }),
      ),
      simulation.isOn() &&
        h(
          "div.simulating",
          { role: "status", "data-key": "simulating" },
          h("span", {}, "Simulating ", h("b", {}, summarize(simulation, model.now))),
          button("Reset", "reset", "", { class: "small" }),
        ),
      h(
        "div.tabs",
        { role: "tablist", "aria-label": "Parts", "data-key": "tabs" },
        Object.keys(TABS).map((it) =>
          button([it, badgeOf(it, model)], "tab", it, {
            role: "tab",
            id: `tab-${it}`,
            "aria-selected": `${it === tab}`,
            "aria-controls": "part",
            tabindex: it === tab ? 0 : -1,
          }),
        ),
      ),
      h(
        "div.part",
        { role: "tabpanel", id: "part", "aria-labelledby": `tab-${tab}`, tabindex: 0, "data-key": tab },
        visit() || ALWAYS.includes(tab)
          ? TABS[tab]!(model)
          : hint(
              mode() === "off"
                ? "Consent is off: nothing is known, kept or decided."
                : "No visit yet: the site’s configuration has not come.",
              " ",
              button("Consent", "tab", "Consent"),
            ),
      ),
    );
  };

  const close = () => {
    delete kept.tab;
    save();
    if (before instanceof HTMLElement) before.focus();
    before = null;
    if (simulation.isOn()) return schedule();
    scope.abort();
    host.remove();
    closed();
  };
  const open = () => {
    before ??= document.activeElement;
    kept.tab ??= "Segments";
    save();
    draw();
    focus("[role=tab][aria-selected=true]");
  };
  const focus = (selector: string) => root.querySelector<HTMLElement>(selector)?.focus();

  const choose = (tab: string) => {
    kept.tab = tab;
    save();
    draw();
    focus("[role=tab][aria-selected=true]");
  };

  /** Draws around the element, above the page and not in it. */
  const point = (element: HTMLElement) => {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    element.scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
    const end = Date.now() + OUTLINE_MS;
    const follow = () => {
      outline.hidden = signal.aborted || Date.now() > end;
      if (outline.hidden) return;
      const { left, top, width, height } = element.getBoundingClientRect();
      Object.assign(outline.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
      requestAnimationFrame(follow);
    };
    follow();
  };

  const copy = async (text: string, by: HTMLElement) => {
    try {
      await navigator.clipboard.writeText(text);
      copied = text;
      schedule();
      setTimeout(() => {
        copied = undefined;
        schedule();
      }, COPIED_MS);
    } catch {
      // Without a secure context: marked, for the keyboard to copy.
      getSelection()?.selectAllChildren(by.parentElement!.firstChild!);
    }
  };

  const split = (arg: string) => arg.split(" ") as [string, string];
  const actions: { [action: string]: (arg: string, by: HTMLElement) => unknown } = {
    open,
    close,
    copy,
    tab: choose,
    side() {
      kept.isLeft = !kept.isLeft;
      save();
      schedule();
    },
    show: (position) => point(listSlots()[Number(position)]!.element),
    flush: () => attune.flush().then(look),
    mode: (mode) => attune.consent(mode as "off"),
    purpose(arg) {
      const [purpose, said] = split(arg);
      attune.consent({ [purpose]: said === "true" });
    },
    shift: (shift) => pretend({ shift: Number(shift) }),
    segment(arg) {
      const [key, said] = split(arg);
      const { [key]: _, ...segments } = simulation.plan.segments;
      pretend({ segments: said ? { ...segments, [key]: said === "true" } : segments });
    },
    reset() {
      pretend(NO_PLAN);
      if (!kept.tab) close();
    },
    // Of fields: when they change.
    filter(text) {
      filter = text;
      schedule();
    },
    instant(text) {
      const at = Date.parse(text);
      if (at) pretend({ shift: at - Date.now() });
    },
    variant(key, by) {
      const { [by.dataset["arg"]!]: _, ...variants } = simulation.plan.variants;
      pretend({ variants: key ? { ...variants, [by.dataset["arg"]!]: key } : variants });
    },
  };

  root.addEventListener("click", ({ target }) => {
    const by = (target as HTMLElement).closest<HTMLElement>("[data-do]");
    if (by) actions[by.dataset["do"]!]!(by.dataset["arg"]!, by);
  });
  for (const type of ["input", "change"])
    root.addEventListener(type, ({ target }) => {
      const field = target as HTMLInputElement;
      const action = field.dataset["on"]!;
      // A search is as one types, a value when it is whole.
      if ((action === "filter") === (type === "input")) actions[action]!(field.value, field);
    });
  root.addEventListener("keydown", (event) => {
    const { key, target } = event as KeyboardEvent;
    if (key === "Escape" && kept.tab) close();
    if ((target as HTMLElement).role !== "tab") return;
    const names = Object.keys(TABS);
    const at = names.indexOf(kept.tab!);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[key];
    if (to === undefined) return;
    event.preventDefault();
    choose(names.at(to % names.length)!);
  });
  for (const type of KEPT) host.addEventListener(type, (event) => event.stopPropagation());

  const journal = keepJournal(
    attune,
    (kind, detail) => {
      reckoned = undefined;
      // What is true has just been shown: what is pretended comes back before anybody sees it.
      if (kind === "slot") simulation.refill((detail as { slot: string }).slot);
      schedule();
    },
    signal,
  );

  /** Other tabs capture and send, too. */
  const look = async () => {
    waiting = (await visit()?.list(WAITING)) ?? [];
    schedule();
  };
  const tick = setInterval(look, TICK_MS);
  signal.addEventListener("abort", () => clearInterval(tick));
  look();
  if (kept.tab || simulation.isOn()) schedule();
  else open();

  return { open };
}

function badgeOf(tab: string, { standings, waiting }: Model): Child {
  const count =
    tab === "Segments" ? standings.filter(({ value }) => value === true).length : tab === "Outbox" && waiting.length;
  return count ? h("sup", {}, count) : undefined;
}

function readKept(keep: string): Kept {
  try {
    const { tab, isLeft, plan } = JSON.parse(sessionStorage[keep]) as Kept;
    return { ...(tab && Object.hasOwn(TABS, tab) && { tab }), isLeft: isLeft === true, plan: { ...NO_PLAN, ...plan } };
  } catch {
    return { plan: NO_PLAN };
  }
}
