/** What is done with elements that the page has marked. Knows their attributes; what is typed into them is never read. */
import type { JsonObject } from "../../shared/event.ts";

/**
 * Tracks a click on, or in, what has `data-attune-track="Event Name"`; of a form, that it is submitted. Properties are
 * texts, named by the rules of `dataset`: `data-attune-prop-plan-name` is `planName`. Nothing is tracked in what has
 * `data-attune-ignore`. Whatever the page adds later counts, and what it stops; so do open shadow roots, as soon as the
 * document outside of them has an element with `data-attune-track`, or a slot that shows a decision: nobody looks for
 * marked elements in them before.
 */
export function watchElements(track: (event: string, properties: JsonObject) => void, signal: AbortSignal): void {
  const options = { signal, capture: true };

  const hear = (event: Event) => {
    const path = event.composedPath() as (HTMLElement & { control?: Element })[];
    const element = path.find(
      ({ dataset, localName }) =>
        dataset?.["attuneTrack"] && (localName === "form" ? "submit" : "click") === event.type,
    );
    for (const node of path) {
      if (node.dataset?.["attuneIgnore"] !== undefined) return;
      // A label passes its click on to its control: that one counts.
      if (node.control && node.control !== path[0] && element?.contains(node.control)) return;
      // Submitting is not heard outside of a shadow root; a click that may lead to it is.
      if ((node as Node) instanceof ShadowRoot) node.addEventListener("submit", hear, options);
    }
    if (!element) return;
    const properties: JsonObject = {};
    for (const [key, value] of Object.entries(element.dataset)) {
      const name = key.replace(/^attuneProp(.)/, (_, initial) => initial.toLowerCase());
      if (name !== key) properties[name] = value;
    }
    track(element.dataset["attuneTrack"]!, properties);
  };
  addEventListener("click", hear, options);
  addEventListener("submit", hear, options);
}
