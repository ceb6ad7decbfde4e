/** Page views by themselves: at load and at each navigation inside a single-page app. */
import { readAddress } from "./context.ts";

/** Apps set the title after the address: what it is then is the page's. A redirect on the way is the same step. */
const TITLE_MS = 300;
/** Where there is no Navigation API. Looking is better manners than wrapping the page's own `history`. */
const LOOK_MS = 300;

/**
 * @param view records a page view.
 * @param leave hears that a page has ended whose successor is not viewed yet.
 */
export function watchPages(view: () => void, leave: () => void, signal: AbortSignal): void {
  let current = readAddress();
  let timer: ReturnType<typeof setTimeout>;

  const moved = () => {
    if (signal.aborted || readAddress() === current) return;
    current = readAddress();
    leave();
    clearTimeout(timer);
    timer = setTimeout(() => signal.aborted || view(), TITLE_MS);
  };

  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) navigation.addEventListener("currententrychange", moved, { signal });
  else setInterval(moved, LOOK_MS);

  view();
}

/** @param names of query parameters, separated by commas. @returns what the first of them holds that holds anything. */
export function readSearch(names: string): string | undefined {
  const query = new URLSearchParams(location.search);
  for (const name of names.split(",")) if (query.get(name)) return query.get(name)!;
}
