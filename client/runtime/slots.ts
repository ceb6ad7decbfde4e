/**
 * Fills named places of the page with what was decided for them. Owns the elements, their fallback and their hiding;
 * what to show comes from outside. `<attune-block name="hero">` and `[data-attune-slot="hero"]`.
 */
import type { WireDecision } from "../../shared/wire.ts";
import { toNodes } from "./html.ts";

/** At most that long is a slot invisible; then the page's own content shows. */
const HIDDEN_MS = 300;

export interface Content {
  /** Null: what the page has. */
  html: string | null;
  decision: WireDecision;
}

interface Slot {
  name: string;
  fallback: Node[];
  html: string | null;
  /** Ends the hiding. The height stays reserved for content that takes the place of the fallback. */
  reveal(filled?: boolean): void;
}

/**
 * @param found hears of slots that are new in the page: hidden now, to be filled or revealed.
 * @returns `fill`: puts the content into each element of that slot, ends their hiding, and says which they are.
 * `reveal`: no answer came for these, their fallback shows. `names` of all that are in the page.
 */
export function createSlots(
  found: (names: string[]) => void,
  signal: AbortSignal,
): [fill: (name: string, content: Content) => HTMLElement[], reveal: (names: string[]) => void, names: () => string[]] {
  const slots = new Map<HTMLElement, Slot>();
  let scanning = false;

  const hide = ({ style, offsetHeight }: HTMLElement) => {
    const { visibility, minHeight } = style;
    style.minHeight = `${offsetHeight}px`;
    style.visibility = "hidden";
    const reveal = (filled?: boolean) => {
      clearTimeout(timer);
      style.visibility = visibility;
      if (!filled) style.minHeight = minHeight;
    };
    const timer = setTimeout(reveal, HIDDEN_MS);
    return reveal;
  };

  const put = (element: HTMLElement, slot: Slot, html: string | null) => {
    if (html !== slot.html) element.replaceChildren(...(html === null ? slot.fallback : [toNodes(html)]));
    slot.html = html;
    slot.reveal(html !== null);
  };

  const scan = () => {
    scanning = false;
    if (signal.aborted) return;
    const names: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>("attune-block[name],[data-attune-slot]")) {
      if (slots.has(element)) continue;
      const name = element.dataset["attuneSlot"] || element.getAttribute("name")!;
      slots.set(element, { name, fallback: [...element.childNodes], html: null, reveal: hide(element) });
      names.push(name);
    }
    for (const element of slots.keys()) if (!element.isConnected) slots.delete(element);
    found(names);
  };

  // Before the next frame is painted: what is new never flashes its fallback.
  const observer = new MutationObserver(() => {
    if (!scanning) requestAnimationFrame(scan);
    scanning = true;
  });
  observer.observe(document, { childList: true, subtree: true });
  // Withdrawn: back to what the page had.
  signal.addEventListener("abort", () => {
    observer.disconnect();
    for (const [element, slot] of slots) put(element, slot, null);
  });
  scan();

  const named = (name: string) => [...slots].filter(([, slot]) => slot.name === name);
  return [
    (name, { html, decision }) =>
      named(name).map(([element, slot]) => {
        put(element, slot, html);
        element.dataset["attuneDecision"] = decision.id;
        return element;
      }),
    (names) => {
      for (const name of names) for (const [, slot] of named(name)) if (slot.html === null) slot.reveal();
    },
    () => [...slots.values()].map(({ name }) => name),
  ];
}
