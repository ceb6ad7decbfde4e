/** What the edge decided for this visitor's slots: asks for it, keeps it while it holds, asks again when it ends. */
import type { JsonObject } from "../../shared/event.ts";
import type { DecideAnswer } from "../../shared/wire.ts";
import type { Content } from "./slots.ts";
import type { Save, State } from "./store.ts";
import { createTimer } from "./timer.ts";

const isSame = (a: Content, b: Content) =>
  a.html === b.html && a.decision.block === b.decision.block && a.decision.variant === b.decision.variant;

const endOf = ({ decision: { until } }: Content) => (until ? Date.parse(until) : Infinity);

/**
 * @param carry sends the request with whatever events wait.
 * @param about context and local segments.
 * @param answered new contents are in the state; each of them, then the names that were asked for.
 * @returns `want`: asks for these slots, together with whatever else is wanted in this turn. `recall`: what is known and
 * still holds. `forget`: all was for somebody else.
 */
export function createDecisions(
  state: State,
  save: Save,
  carry: (request: JsonObject) => Promise<DecideAnswer | undefined>,
  about: () => JsonObject,
  fill: (slot: string, content: Content) => void,
  answered: (slots: string[]) => void,
  signal: AbortSignal,
): [want: (slots: Iterable<string>) => void, recall: (slot: string) => Content | undefined, forget: () => void] {
  const wanted = new Set<string>();
  /** Slots decided since this page began. */
  const fresh = new Set<string>();
  let requests = 0;
  /** The newest request whose answer was taken: a slower, older one is not. */
  let newest = 0;

  const ask = async () => {
    const slots = [...wanted];
    wanted.clear();
    const request = ++requests;
    const { anonymousId, userId, token } = state;
    const answer = await carry({ anonymousId, userId, token, slots, ...about() });
    if (signal.aborted) return;
    if (answer && request > newest) {
      newest = request;
      for (const [slot, content] of Object.entries(answer.slots)) {
        const before = state.slots[slot];
        // The same again is the same decision: it is not seen twice.
        if (before && fresh.has(slot) && isSame(before, content)) content.decision.id = before.decision.id;
        fresh.add(slot);
        fill(slot, content);
      }
      save({
        slots: { ...state.slots, ...answer.slots },
        told: answer.segments,
        stableId: answer.stableId,
        token: answer.token ?? undefined,
      });
      arm();
    }
    answered(slots);
  };

  const want = (slots: Iterable<string>) => {
    const idle = !wanted.size;
    for (const slot of slots) wanted.add(slot);
    if (idle && wanted.size) queueMicrotask(ask);
  };

  const arm = () => {
    const ends = Object.values(state.slots).map(endOf);
    // One that has passed already when the answer comes tells of a wrong clock, not of a new decision.
    setTimer(Math.min(...ends.filter((end) => end > Date.now())));
  };
  const setTimer = createTimer(() => {
    want(Object.keys(state.slots).filter((slot) => endOf(state.slots[slot]!) <= Date.now()));
    arm();
  }, signal);

  return [
    want,
    (slot) => {
      const content = state.slots[slot];
      return content && endOf(content) > Date.now() ? content : undefined;
    },
    () => {
      newest = requests;
      fresh.clear();
    },
  ];
}
