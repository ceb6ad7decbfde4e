/**
 * Fills named places of the page with what was decided for them. Owns the elements, their fallback and their hiding;
 * what to show comes from outside. `<attune-block name="hero">` and `[data-attune-slot="hero"]`.
 */
import type { WireDecision } from "../../shared/wire.ts";
import { toNodes } from "./html.ts";

/** At most that long is a slot invisible; then the page's own content shows. */
const HIDDEN_MS = 300;

/** A decision with what it shows; `html: null` = what the page has. */
export type Content = WireDecision & { html: string | null };

interface Slot {
  name: string;
  fallback: Node[];
  html: string | null;
}

/**
 * @param enabled false: there are none, whatever the page holds.
 * @param found hears of slots that are new in the page: hidden now, to be filled or revealed.
 * @returns `fill`: puts the content into each element of that slot, ends their hiding, and says which they are.
 * `reveal`: nothing is to be waited for any more. `names` of all slots in the page.
 */
export function createSlots(
  enabled: boolean,
  found: (names: string[]) => void,
  signal: AbortSignal,
): [fill: (content: Content) => HTMLElement[], reveal: () => void, names: () => string[]] {
  const slots = new Map<HTMLElement, Slot>();
  let scanning = false;

  const show = ({ style }: HTMLElement) => {
    style.visibility = "";
  };
  const put = (element: HTMLElement, slot: Slot, html: string | null) => {
    if (html !== slot.html) element.replaceChildren(...(html === null ? slot.fallback : [toNodes(html)]));
    slot.html = html;
    show(element);
  };

  const scan = () => {
    scanning = false;
    if (signal.aborted || !enabled) return;
    const names: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>("attune-block[name],[data-attune-slot]")) {
      if (slots.has(element)) continue;
      const { dataset, style } = element;
      const name = dataset["attuneSlot"] || element.getAttribute("name")!;
      slots.set(element, { name, fallback: [...element.childNodes], html: null });
      names.push(name);
      // Kept when it is filled: what is below does not jump up.
      style.minHeight = `${element.offsetHeight}px`;
      style.visibility = "hidden";
      setTimeout(show, HIDDEN_MS, element);
    }
    for (const element of slots.keys()) if (!element.isConnected) slots.delete(element);
    if (names.length) found(names);
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

  return [
    ({ slot, html, id }) => {
      return [...slots].flatMap(([element, it]) => {
        if (it.name !== slot) return [];
        put(element, it, html);
        element.dataset["attuneDecision"] = id;
        return element;
      });
    },
    () => [...slots.keys()].forEach(show),
    () => [...slots.values()].map(({ name }) => name),
  ];
}
