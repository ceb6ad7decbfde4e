/** What the edge decided for this visitor's slots: asks for it, keeps it while it holds, asks again when it ends. */
import type { DecideAnswer } from "../../shared/wire.ts";
import type { Content } from "./slots.ts";
import type { Save, State } from "./store.ts";
import { createTimer, endOf, holds } from "./timer.ts";

/**
 * @param ask one request for all slots of the page.
 * @param fill takes a decision of this page.
 * @param answered once for each request, whether an answer came or not.
 * @returns `want`: decides all slots, once for all that want it in this turn. `recall`: what an earlier page was told and
 * still holds. `forget`: all was for somebody else.
 */
export function createDecisions(
  state: State,
  save: Save,
  ask: () => Promise<DecideAnswer | undefined>,
  fill: (content: Content) => void,
  answered: () => void,
  signal: AbortSignal,
): [want: () => void, recall: (slot: string) => Content | undefined, forget: () => void] {
  /** Decided since this page began. */
  let fresh: { [slot: string]: Content } = {};
  let wanted = false;
  /** Number of the newest request: an older one's answer comes too late. */
  let newest = 0;

  const decide = async () => {
    wanted = false;
    const request = ++newest;
    const answer = await ask();
    if (signal.aborted) return;
    if (answer && request === newest) {
      const { segments, stableId, token, until } = answer;
      const slots = { ...state.slots };
      for (const [slot, { html, decision }] of Object.entries(answer.slots)) {
        const content = { ...decision, html };
        const before = fresh[slot];
        // The same again is the same decision: it is not seen twice.
        if (before?.variant === content.variant) content.id = before.id;
        slots[slot] = fresh[slot] = content;
        fill(content);
      }
      save({ slots, segments, stableId, token });
      // One that has passed already when the answer comes tells of a wrong clock, not of a new decision.
      setTimer(holds(until) ? endOf(until) : Infinity);
    }
    answered();
  };

  const want = () => {
    if (!wanted) queueMicrotask(decide);
    wanted = true;
  };
  const setTimer = createTimer(want, signal);

  return [
    want,
    (slot) => {
      const content = state.slots[slot];
      return content && holds(content.until) ? content : undefined;
    },
    () => {
      newest++;
      fresh = {};
    },
  ];
}
