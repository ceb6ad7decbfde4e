/** Who really saw what was decided: at least half of it, for at least a second, once per decision; and who clicked. */
import type { JsonObject } from "../../shared/event.ts";
import type { WireDecision } from "../../shared/wire.ts";

const SEEN_MS = 1_000;
const SEEN_RATIO = 0.5;

/** @returns to be called whenever an element shows a decision. */
export function watchExposures(
  track: (event: string, properties: JsonObject) => void,
  signal: AbortSignal,
): (element: HTMLElement, decision: WireDecision) => void {
  const decisions = new Map<Element, WireDecision>();
  const timers = new Map<Element, ReturnType<typeof setTimeout>>();

  const report = (event: string, { id, slot, block, variant, reason }: WireDecision, more?: JsonObject) =>
    track(event, { decision: id, slot, block, variant, reason, ...more });

  const seen = (element: HTMLElement) => {
    const decision = decisions.get(element)!;
    observer.unobserve(element);
    // Nobody looks at a hidden page; observing anew asks again when it comes back.
    if (document.hidden) observer.observe(element);
    else if (!signal.aborted && element.dataset["attuneDecision"] === decision.id) report("Attune Exposure", decision);
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio } of entries) {
        clearTimeout(timers.get(target));
        if (intersectionRatio >= SEEN_RATIO) timers.set(target, setTimeout(seen, SEEN_MS, target));
      }
    },
    { threshold: SEEN_RATIO },
  );

  document.addEventListener(
    "click",
    ({ target }) => {
      const link = (target as Element).closest?.<HTMLAnchorElement>("a[href]");
      const decision = decisions.get(link?.closest("[data-attune-decision]") as Element);
      if (decision) report("Attune Click", decision, { href: link!.href });
    },
    { signal, capture: true },
  );

  return (element, decision) => {
    if (decisions.get(element)?.id === decision.id || !decision.block) return;
    decisions.set(element, decision);
    clearTimeout(timers.get(element));
    observer.unobserve(element);
    observer.observe(element);
  };
}
