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
  const shown = new Map<Element, { decision: WireDecision; timer?: ReturnType<typeof setTimeout> }>();

  const report = (event: string, { id, slot, block, variant, reason }: WireDecision, href?: string) =>
    track(event, { decision: id, slot, block, variant, reason, href });

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio } of entries) {
        const it = shown.get(target)!;
        clearTimeout(it.timer);
        if (intersectionRatio < SEEN_RATIO) continue;
        it.timer = setTimeout(() => {
          observer.unobserve(target);
          // Nobody looks at a hidden page; observing anew asks again when it comes back.
          if (document.hidden) observer.observe(target);
          else if ((target as HTMLElement).dataset["attuneDecision"] === it.decision.id)
            report("Attune Exposure", it.decision);
        }, SEEN_MS);
      }
    },
    { threshold: SEEN_RATIO },
  );

  addEventListener(
    "click",
    ({ target }) => {
      const link = (target as Element).closest?.<HTMLAnchorElement>("a[href]");
      const it = shown.get(link?.closest("[data-attune-decision]") as Element);
      if (it) report("Attune Click", it.decision, link!.href);
    },
    { signal, capture: true },
  );

  return (element, decision) => {
    const before = shown.get(element);
    if (before?.decision.id === decision.id || !decision.block) return;
    clearTimeout(before?.timer);
    shown.set(element, { decision });
    observer.unobserve(element);
    observer.observe(element);
  };
}
