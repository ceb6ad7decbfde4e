/**
 * How long each page was looked at, and how much of it was seen: one event a page, when it ends. A browser may end a page
 * that is hidden without a word. So what is known by then is kept beside the state, for a later page to record.
 */
import type { Message } from "../../shared/event.ts";
import type { Save } from "./store.ts";

/** A page that was hidden for longer has ended; who comes back views it anew. As long as a session of GA4. */
const AWAY_MS = 30 * 60_000;

/** Of the message's id, and so of the part of the state that keeps it. */
export const PREFIX = "page-";

const isOver = ({ timestamp }: Message) => Date.parse(timestamp!) + AWAY_MS < Date.now();

/**
 * `Page Engagement` has `seconds` in which the page was visible (never: there is no event), rounded to tenths, and `depth`:
 * to how many percent of its height, as it was at last, the window has reached; 100 where there is nothing to scroll.
 * @param state among other things, messages by their ids.
 * @param save writes there, and tells other tabs.
 * @param record takes a message that says whose it is.
 * @param view records a page view.
 * @returns ends the page, and begins the one whose view it is given; none is there until then.
 */
export function watchEngagement(
  state: object,
  save: Save,
  record: (message: Message) => void,
  view: () => void,
  signal: AbortSignal,
): (next?: Message) => void {
  const kept = state as { [id: string]: Message | undefined };
  let page: Message | undefined;
  /** What is known of it; undefined: it was not seen. */
  let message: Message | undefined;
  /** 0: hidden. */
  let shownAt = 0;
  let shownMs = 0;
  let reach = 0;
  let height = 0;

  const look = () => {
    reach = Math.max(reach, scrollY + innerHeight);
    height = document.documentElement.scrollHeight;
  };
  // When the page has been laid out: when it goes, it would be laid out once more for this.
  const observer = new ResizeObserver(look);
  const turn = () => {
    const now = performance.now();
    if (page && shownAt) {
      if (!reach) look();
      shownMs += now - shownAt;
      const seconds = Math.round(shownMs / 100) / 10;
      const depth = Math.round(Math.min(1, reach / height) * 100);
      message = {
        ...page,
        type: "track",
        event: "Page Engagement",
        // The same whoever records it, and however often.
        messageId: PREFIX + page.messageId,
        timestamp: new Date().toISOString(),
        properties: { seconds, depth },
        // What is allowed may be another than at the view.
        context: { ...page.context, consent: undefined },
      };
      save({ [message.messageId]: message });
    }
    shownAt = document.hidden ? 0 : now;
  };
  const end = (next?: Message) => {
    turn();
    for (const [id, left] of Object.entries(kept)) {
      if (left?.messageId === id && (id === message?.messageId || isOver(left))) {
        save({ [id]: undefined });
        record(left);
      }
    }
    shownMs = reach = 0;
    page = next;
    message = undefined;
    observer.disconnect();
    if (next) observer.observe(document.documentElement);
  };

  addEventListener("scroll", look, { signal });
  // Before what waits is sent for the last time.
  addEventListener("pagehide", () => end(), { signal, capture: true });
  addEventListener(
    "visibilitychange",
    () => {
      turn();
      if (message && isOver(message)) view();
    },
    { signal },
  );
  return end;
}
