/** Page views by themselves: at load and at each navigation inside a single-page app. */

/** Apps set the title after the address: what it is then is the page's. A redirect on the way is the same step. */
const TITLE_MS = 300;
/** Where there is no Navigation API. Looking is better manners than wrapping the page's own `history`. */
const LOOK_MS = 300;

/** A fragment makes another page only where it is a route. */
const address = () => location.href.replace(/#(?![!/]).*/, "");

/** @param view records a page view. */
export function watchPages(view: () => void, signal: AbortSignal): void {
  let current = address();
  let timer: ReturnType<typeof setTimeout>;

  const moved = () => {
    if (address() === current) return;
    current = address();
    clearTimeout(timer);
    timer = setTimeout(() => signal.aborted || view(), TITLE_MS);
  };

  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) navigation.addEventListener("currententrychange", moved, { signal });
  else setInterval(moved, LOOK_MS);

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", view, { signal });
  else view();
}
