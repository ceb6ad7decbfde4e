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
 * @param isGiven what the edge has filled a slot with stands until it is known what is decided.
 * @param found hears, whenever the page has changed, of names that are new in it: hidden now, to be filled or revealed.
 * @param shown hears of each element that shows a content.
 * @returns `fill`: from now on every element of these slots shows its content. `names` of all slots in the page.
 */
export function createSlots(
  enabled: boolean,
  isGiven: boolean,
  found: (names: string[]) => void,
  shown: (element: HTMLElement, content: Content) => void,
  signal: AbortSignal,
): [fill: (contents: Content[]) => void, names: () => string[]] {
  /** What makes an element show a content, or what the page has: what it answers does it. */
  const slots = new WeakMap<HTMLElement, (content?: Content) => () => void>();
  /** By name; undefined: not known yet. */
  let contents = new Map<string, Content | undefined>();
  let frame = 0;

  const list = () =>
    enabled ? [...document.querySelectorAll<HTMLElement>("attune-block[name],[data-attune-slot]")] : [];
  const nameOf = (element: HTMLElement) => element.dataset["attuneSlot"] || element.getAttribute("name")!;

  const adopt = (element: HTMLElement) => {
    const { childNodes, dataset, style } = element;
    /** What the page has there, while ours is shown. */
    const own = new DocumentFragment();
    /** The first of ours: nobody takes those for the server's. */
    const mark = new Comment();
    const kept = element.children[0] as HTMLTemplateElement | undefined;
    /** Null: the page's own is shown. What the edge has filled in is known by its decision only. */
    let html = kept?.dataset["attune"] ?? null;
    if (html) {
      own.append(kept!.content);
      kept!.replaceWith(mark);
    }
    /** The page overwrites it, or its policy does not let it in. */
    let refused: string | null | undefined;
    let repairs = REPAIRS;

    // A framework hydrates the children that the server made, and changes them: it finds them where it looks for them.
    const home = () => (html === null ? element : own);
    const insert = (node: Node, before?: ChildNode) => {
      if (before) before.before(node);
      else home().append(node);
      return node;
    };
    Object.defineProperty(element, "firstChild", { get: () => home().childNodes[0], configurable: true });
    Object.assign(element, {
      appendChild: insert,
      insertBefore: insert,
      removeChild(node: ChildNode) {
        node.remove();
        return node;
      },
    });
    style.visibility = "hidden";
    setTimeout(() => {
      style.visibility = "";
    }, HIDDEN_MS);

    let height: string;
    const show = (content?: Content) => {
      const next = content?.html ?? null;
      if (content?.id === html) html = next;
      const same = next === html;
      if (!same || (html !== null && !mark.parentNode)) {
        // Not inside itself, and not while somebody is typing.
        if (element.matches(`[data-attune-decision="${content?.id}"] *`) || element.querySelector(":read-write:focus"))
          return;
        if (same && repairs-- < 1) throw `The page overwrites ${nameOf(element)}`;
        const nodes = next === null ? [own] : [mark, toNodes(next)];
        // What is below does not jump up.
        style.minHeight = height;
        if (!mark.parentNode) own.replaceChildren(...childNodes);
        element.replaceChildren(...nodes);
        html = next;
      }
      if (content) style.visibility = "";
      const id = content?.id ?? "";
      if (dataset["attuneDecision"] === id) return;
      dataset["attuneDecision"] = id;
      if (id) shown(element, content!);
    };

    return (content?: Content) => {
      if (content && content.html !== html) height = getComputedStyle(element).height;
      return () => {
        try {
          show(content?.html === refused ? undefined : content);
        } catch (error) {
          // Its own is what the page wants, or what its policy allows.
          refused = content!.html;
          show();
          report(error);
        }
      };
    };
  };

  const scan = () => {
    frame = 0;
    if (signal.aborted) return;
    const news: string[] = [];
    const turns = list().map((element) => {
      const name = nameOf(element);
      if (!contents.has(name)) {
        contents.set(name, undefined);
        news.push(name);
      }
      if (!slots.has(element)) slots.set(element, adopt(element));
      return (!isGiven || contents.get(name)) && slots.get(element)!(contents.get(name));
    });
    // All that is read of the page's layout has been: it is made once, however many slots there are.
    for (const turn of turns) if (turn) turn();
    found(news);
  };

  // Before the next frame is painted: what is new never flashes its fallback.
  const schedule = () => {
    if (!frame) frame = requestAnimationFrame(scan);
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
    for (const element of list()) slots.get(element)?.()();
  });
  scan();

  return [
    (filled) => {
      for (const content of filled) contents.set(content.slot, content);
      if (filled[0]) scan();
    },
    () => {
      // What comes back later is asked for anew.
      contents = new Map(
        list()
          .map(nameOf)
          .map((name) => [name, contents.get(name)]),
      );
      return [...contents.keys()];
    },
  ];
}
