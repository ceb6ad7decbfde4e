/**
 * A small banner that asks for consent, for sites that have none: shown while nobody has chosen and the site's default is
 * `off`, and again by any element with `data-attune-consent`. A sample: what a site has to say is its own affair.
 */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import { pageAttune, type Target } from "../adapters/target.ts";
import { STYLE } from "./style.ts";
import { TEXTS, type Texts } from "./texts.ts";

export interface BannerOptions {
  /** Default: the page's language, English where there are no texts in it. */
  lang?: string;
  /** Instead of those of the language. */
  texts?: Partial<Texts>;
  /** Address of the site's privacy policy. */
  policy?: string;
  /** Do Not Track has answered already: nobody is asked. */
  dnt?: boolean;
}

const OPTIONAL = ["analytics", "personalization", "marketing"] as const;

/** Calls of before the script came are kept by its stub; the banner comes when the script has said what holds. */
export function connectBanner(attune: Target = pageAttune, options: BannerOptions = {}): void {
  const { lang = document.documentElement.lang, policy, dnt } = options;
  const known = TEXTS[lang.slice(0, 2).toLowerCase()];
  const texts = { ...(known ?? TEXTS["en"]!), ...options.texts };
  const { globalPrivacyControl, doNotTrack } = navigator as { globalPrivacyControl?: boolean; doNotTrack?: string };
  let purposes: Consent = {};
  let host: HTMLElement | undefined;
  /** Where the focus was when the banner was asked for. */
  let opener: HTMLElement | undefined;

  const close = () => {
    host?.remove();
    host = undefined;
    opener?.focus();
    opener = undefined;
  };
  const choose = (choice: ConsentMode | Consent) => {
    close();
    attune.push(["consent", choice]);
  };
  const open = (isChosen: boolean) => {
    host?.remove();
    host = document.createElement("attune-consent");
    // Read aloud as what it is; a site that writes texts writes them in the language that it names.
    host.lang = known || Object.keys(options.texts ?? {})[0] ? lang : "en";
    const root = host.attachShadow({ mode: "open" });
    // Neither inline styles nor HTML: a strict policy of the page has nothing against it.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const panel = buildPanel(texts, policy, choose, close, isChosen ? purposes : {}, globalPrivacyControl === true);
    root.append(panel);
    host.addEventListener("keydown", ({ key }) => {
      // No answer, neither yes nor no.
      if (key === "Escape") close();
    });
    document.body.prepend(host);
    return panel;
  };

  attune.push([
    "on",
    "consent",
    ({ mode, purposes: granted }: { mode: ConsentMode; purposes: Consent }) => {
      purposes = granted;
      const isAnswered = hasChosen() || (dnt && doNotTrack === "1");
      if (mode !== "off" || isAnswered) return opener ? undefined : close();
      if (document.body) open(false);
      else addEventListener("DOMContentLoaded", () => host || open(false), { once: true });
    },
  ]);
  // Chosen in another tab.
  addEventListener("storage", () => {
    if (!opener && hasChosen()) close();
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest?.<HTMLElement>("[data-attune-consent]");
    if (!link) return;
    event.preventDefault();
    const panel = open(true);
    opener = link;
    panel.focus();
  });
}

/** What the script keeps of a choice, and of nothing else, under this name. */
function hasChosen(): boolean {
  try {
    const { key } = (globalThis as { attune?: { key?: string } }).attune!;
    return JSON.parse(localStorage[`attune.${key}`]).mode !== undefined;
  } catch {
    return false;
  }
}

function buildPanel(
  texts: Texts,
  policy: string | undefined,
  choose: (choice: ConsentMode | Consent) => void,
  close: () => void,
  granted: Consent,
  isRefused: boolean,
): HTMLElement {
  const boxes = OPTIONAL.map((purpose) => {
    const isFixed = purpose === "marketing" && isRefused;
    const checked = granted[purpose] === true && !isFixed;
    const text = isFixed ? `${texts[purpose]} (${texts.refused})` : texts[purpose];
    return { purpose, text, box: make("input", { type: "checkbox", name: purpose, checked, disabled: isFixed }) };
  });
  const choice = (pick: (box: HTMLInputElement) => boolean): Consent =>
    Object.fromEntries(boxes.map(({ purpose, box }) => [purpose, pick(box)]));
  const fixed = make("input", { type: "checkbox", name: "necessary", checked: true, disabled: true });
  const fields = make("fieldset", {}, label(fixed, texts.necessary), ...boxes.map(({ box, text }) => label(box, text)));
  fields.setAttribute("aria-label", texts.choose);
  const title = make("h2", { id: "title", textContent: texts.title });
  const text = make("p", { id: "text", textContent: `${texts.text} ` });
  if (policy) text.append(make("a", { href: policy, textContent: texts.privacy }));

  const closer = button("×", close, "close");
  closer.setAttribute("aria-label", texts.close);
  const panel = make(
    "section",
    { tabIndex: -1 },
    title,
    text,
    make(
      "details",
      { open: OPTIONAL.some((purpose) => granted[purpose]) },
      make("summary", { textContent: texts.choose }),
      fields,
      button(texts.save, () => choose(choice(({ checked }) => checked)), "save"),
    ),
    make(
      "div",
      { className: "answers" },
      button(texts.reject, () => choose("off")),
      button(texts.accept, () => choose(choice(({ disabled }) => !disabled))),
    ),
    closer,
  );
  // Not modal: the page can be used meanwhile.
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-labelledby", "title");
  panel.setAttribute("aria-describedby", "text");
  return panel;
}

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: Node[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function label(box: HTMLInputElement, text: string): HTMLElement {
  return make("label", { className: box.disabled ? "fixed" : "" }, box, make("span", { textContent: text }));
}

function button(text: string, run: () => void, className = ""): HTMLButtonElement {
  const it = make("button", { type: "button", textContent: text, className });
  it.addEventListener("click", run);
  return it;
}
