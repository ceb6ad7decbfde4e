/**
 * Fills named places of the page with what was decided for them. Owns the elements, the page's own content of them and
 * their hiding; what to show comes from outside. `<attune-block name="hero">` and `[data-attune-slot="hero"]`, not those
 * inside shadow roots.
 */
import type { WireDecision } from "../../shared/wire.ts";
import { report } from "./emitter.ts";
import { toNodes } from "./html.ts";

/** At most that long is a slot invisible; then the page's own content shows. */
const HIDDEN_MS = 300;
/** So often is an element filled again in which the page puts something else; then the page has it. */
const REPAIRS = 9;

/** A decision with what it shows; `html: null` = what the page has. */
export type Content = WireDecision & { html: string | null };

/**
 * @param enabled false: there are none, whatever the page holds.
 * @param found hears, whenever the page has changed, of names that are new in it: hidden now, to be filled or revealed.
 * @param shown hears of each element that shows a content.
 * @returns `fill`: from now on every element of that slot shows the content. `reveal`: nothing is to be waited for any
 * more. `names` of all slots in the page.
 */
export function createSlots(
  enabled: boolean,
  found: (names: string[]) => void,
  shown: (element: HTMLElement, content: Content) => void,
  signal: AbortSignal,
): [fill: (content: Content) => void, reveal: () => void, names: () => string[]] {
  /** What brings an element to what it should show. */
  const slots = new WeakMap<HTMLElement, () => void>();
  /** By name; undefined: not known yet, or not to be shown. */
  const contents = new Map<string, Content | undefined>();
  let news: string[];
  let frame = 0;

  const list = () =>
    enabled ? [...document.querySelectorAll<HTMLElement>("attune-block[name],[data-attune-slot]")] : [];
  const nameOf = (element: HTMLElement) => element.dataset["attuneSlot"] || element.getAttribute("name")!;
  const reveal = () => {
    for (const { style } of list()) style.visibility = "";
  };

  const adopt = (element: HTMLElement) => {
    const { childNodes, dataset, style } = element;
    /** What the page has there, while ours is shown. */
    const own = new DocumentFragment();
    /** Empty: the page's own is shown. */
    let ours: ChildNode[] = [];
    let html: string | null = null;
    let name: string;
    let repairs = REPAIRS;

    // A framework hydrates the children that the server made, and changes them: it finds them where it looks for them.
    const insert = (node: Node, before?: ChildNode) => {
      if (before) before.before(node);
      else (ours[0] ? own : element).append(node);
      return node;
    };
    Object.defineProperty(element, "firstChild", {
      get: () => (ours[0] ? own.firstChild : childNodes[0]),
      configurable: true,
    });
    Object.assign(element, {
      appendChild: insert,
      insertBefore: insert,
      removeChild(node: ChildNode) {
        node.remove();
        return node;
      },
    });

    return () => {
      if (name !== nameOf(element)) {
        name = nameOf(element);
        style.visibility = "hidden";
        setTimeout(reveal, HIDDEN_MS);
        if (!contents.has(name)) {
          contents.set(name, undefined);
          news.push(name);
        }
      }
      const content = contents.get(name);
      const id = content?.id ?? "";
      const others = [...childNodes].filter((node) => !ours.includes(node));
      const next = content?.html ?? null;
      const same = next === html;
      if (!same || (ours[0] && (others[0] || !childNodes[0]))) {
        // Not inside itself, and not while somebody is typing.
        if (
          !repairs ||
          (id && element.matches(`[data-attune-decision="${id}"] *`)) ||
          element.querySelector(":read-write:focus")
        )
          return;
        if (same && !--repairs) throw `The page overwrites ${name}`;
        // A comment first: nobody takes ours for the server's.
        const nodes = next === null ? [] : [new Comment(), ...toNodes(next).childNodes];
        // What is below does not jump up.
        style.minHeight = getComputedStyle(element).height;
        if (others[0]) own.replaceChildren(...others);
        element.replaceChildren(...(nodes[0] ? nodes : [own]));
        ours = nodes;
        html = next;
      }
      if (content) style.visibility = "";
      if (dataset["attuneDecision"] === id) return;
      dataset["attuneDecision"] = id;
      if (id) shown(element, content!);
    };
  };

  const scan = () => {
    news = [];
    for (const element of list()) {
      if (!slots.has(element)) slots.set(element, adopt(element));
      try {
        slots.get(element)!();
      } catch (error) {
        // Its own is what the page wants, or what its policy allows.
        contents.delete(nameOf(element));
        element.dataset["attuneDecision"] = "";
        report(error);
      }
    }
    if (!signal.aborted) found(news);
  };

  // Before the next frame is painted: what is new never flashes its fallback.
  const schedule = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(scan);
  };
  const observer = new MutationObserver(schedule);
  observer.observe(document, { childList: true, subtree: true, attributeFilter: ["name", "data-attune-slot"] });
  addEventListener("focusout", schedule, { signal });
  // Another width, other heights.
  addEventListener(
    "resize",
    () => {
      for (const { style } of list()) style.minHeight = "";
    },
    { signal },
  );
  // Withdrawn: back to what the page had.
  signal.addEventListener("abort", () => {
    observer.disconnect();
    contents.clear();
    scan();
    reveal();
  });
  scan();

  return [
    (content) => {
      contents.set(content.slot, content);
      scan();
    },
    reveal,
    () => {
      const present = list().map(nameOf);
      // What comes back later is asked for anew.
      return [...contents.keys()].filter((name) => present.includes(name) || !contents.delete(name));
    },
  ];
}
