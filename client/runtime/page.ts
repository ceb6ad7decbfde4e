/** Page views by themselves: at load and at each navigation inside a single-page app. */

/** Apps set the title after the address: what it is then is the page's. */
const TITLE_MS = 300;
/** Where there is no Navigation API. Looking is better manners than wrapping the page's own `history`. */
const LOOK_MS = 300;

/** A fragment makes another page only where it is a route. */
const address = () => location.href.replace(/#(?![!/]).*/, "");

/** @param view records a page view; `referrer` is the page before, inside the app. */
export function watchPages(view: (referrer?: string) => void, signal: AbortSignal): void {
  let current = address();
  let referrer: string | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const settle = () => {
    timer = undefined;
    if (!signal.aborted) view(referrer);
  };
  const moved = () => {
    if (address() === current) return;
    // A redirect on the way is the same step.
    if (!timer) referrer = current;
    current = address();
    timer ??= setTimeout(settle, TITLE_MS);
  };

  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) navigation.addEventListener("currententrychange", moved, { signal });
  else setInterval(moved, LOOK_MS);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => view(), { signal });
  else view();
}
