/**
 * Who really saw what was decided: half of it, or half a screen of it, for at least a second; and who clicked. Each once
 * per decision, wherever and however often it is shown; nothing below `data-attune-ignore`.
 */
import type { JsonObject } from "../../shared/event.ts";
import type { WireDecision } from "../../shared/wire.ts";

const SEEN_MS = 1_000;
const SEEN_RATIO = 0.5;
/** Of something that is many screens tall, a half-seen screen passes one of these. */
const THRESHOLDS = [SEEN_RATIO, 0.25, 0.12, 0.06, 0.03];

/** @returns `count`: this decision is one to tell of. `watch` is to be called whenever an element shows another one. */
export function watchExposures(
  track: (event: string, properties: JsonObject) => void,
  signal: AbortSignal,
): [count: (decision: WireDecision) => void, watch: (element: Element) => void] {
  const decisions = new Map<string | null | undefined, WireDecision>();
  const said = new Set<string>();

  const idOf = (element: Element) => element.closest("[data-attune-decision]")?.getAttribute("data-attune-decision");
  const report = (event: string, element: Element, href?: string) => {
    const decision = decisions.get(idOf(element));
    if (!decision?.block || element.closest("[data-attune-ignore]")) return;
    const { id, slot, block, variant, reason } = decision;
    if (!said.has(event + id)) track(event, { decision: id, slot, block, variant, reason, href });
    said.add(event + id);
  };
  const expose = (element: Element) => report("Attune Exposure", element);

  const watch = (element: Element) => {
    const id = idOf(element);
    let timer: ReturnType<typeof setTimeout>;
    const observer = new IntersectionObserver(
      ([entry]) => {
        const { intersectionRatio, intersectionRect } = entry!;
        clearTimeout(timer);
        if (Math.max(intersectionRatio, intersectionRect.height / innerHeight) < SEEN_RATIO) return;
        timer = setTimeout(() => {
          observer.disconnect();
          if (id !== idOf(element)) return;
          // Nobody looks at a hidden page; observing anew asks again when it comes back.
          (document.hidden ? watch : expose)(element);
        }, SEEN_MS);
      },
      { threshold: THRESHOLDS },
    );
    observer.observe(element);
  };

  const click = ({ type, target, button }: MouseEvent) => {
    const at = target as Element;
    const link = at.closest?.<HTMLAnchorElement>(type === "submit" ? "form" : "a[href],button");
    // The right button opens a menu.
    if (!link || button > 1) return;
    expose(at);
    report("Attune Click", at, link.href);
  };
  for (const type of ["click", "auxclick", "submit"]) {
    addEventListener(type, click as EventListener, { signal, capture: true });
  }

  return [
    (decision) => {
      decisions.set(decision.id, decision);
    },
    watch,
  ];
}
