/**
 * How long each page was looked at, and how much of it was seen: one event a page, when it ends. A browser may end a page
 * that is hidden without a word. So what is known by then is kept beside the state, for a later page to record.
 */
import type { JsonObject, Message } from "../../shared/event.ts";
import type { Save, State } from "./store.ts";

/** A page that was hidden for longer has ended; who comes back views it anew. As long as a session of GA4. */
const AWAY_MS = 30 * 60_000;
/** Of the message's id, and so of the row that keeps it. */
const PREFIX = "page-";

const isOver = ({ timestamp }: Message) => Date.parse(timestamp!) + AWAY_MS < Date.now();

/**
 * `Page Engagement` has `seconds` in which the page was visible, rounded to tenths (0: there is no event), and `depth`: to how many
 * percent of its height, as it was at last, the window has reached; 100 where there is nothing to scroll.
 * @param keep writes beside the state.
 * @param record takes a message that says whose it is.
 * @param view records a page view.
 * @returns `begin` with the message of a page view: the page before ends. `end`: no page is there until then.
 */
export function watchEngagement(
  state: State,
  keep: Save,
  context: () => JsonObject,
  record: (message: Message) => void,
  view: () => void,
  signal: AbortSignal,
): [begin: (view: Message) => void, end: () => void] {
  let page: Message | undefined;
  let message: Message | undefined;
  /** 0: hidden. */
  let shownAt = 0;
  let shownMs = 0;
  let reach = 0;

  const look = () => {
    reach = Math.max(reach, scrollY + innerHeight);
  };
  const turn = () => {
    const now = performance.now();
    if (page && shownAt) {
      look();
      shownMs += now - shownAt;
      const seconds = Math.round(shownMs / 100) / 10;
      const depth = Math.round(Math.min(1, reach / document.documentElement.scrollHeight) * 100);
      if (seconds) {
        message = {
          ...page,
          type: "track",
          event: "Page Engagement",
          // The same whoever records it, and however often.
          messageId: PREFIX + page.messageId,
          timestamp: new Date().toISOString(),
          properties: { seconds, depth },
          context: { ...context(), page: page.context!["page"] },
        };
      }
    }
    shownAt = document.hidden ? 0 : now;
  };
  const finish = (message: Message) => {
    record(message);
    keep({ [message.messageId]: undefined });
  };
  const end = () => {
    turn();
    if (message) finish(message);
    page = message = undefined;
  };

  addEventListener("scroll", look, { signal });
  // Before what waits is sent for the last time.
  addEventListener("pagehide", end, { signal, capture: true });
  addEventListener(
    "visibilitychange",
    () => {
      turn();
      if (message) isOver(message) ? view() : keep({ [message.messageId]: message });
    },
    { signal },
  );
  // As soon as the visit has begun.
  queueMicrotask(() => {
    for (const [key, left] of Object.entries(state)) if (key.startsWith(PREFIX) && isOver(left)) finish(left);
  });

  return [
    (view) => {
      end();
      page = view;
      shownMs = reach = 0;
    },
    end,
  ];
}
