/** What the edge decided for this visitor: asks for it, keeps it while it holds, asks again when no answer came. */
import type { DecideAnswer } from "../../shared/wire.ts";
import type { Memberships } from "./emitter.ts";
import type { Content } from "./slots.ts";
import type { Save, State } from "./store.ts";

/**
 * @param members all that are known now.
 * @param ask one request, given the keys of the members, for these slots or all of the page; undefined where no answer
 * came, or there is nothing to ask.
 * @param fill takes what was decided for this page, of all slots together.
 * @param answered once for each request that was not overtaken, whether an answer came or not.
 * @returns `want`: decides all slots, once for all that want it in this turn; `anew`: what was decided was for somebody
 * else. `again`: as `want`, unless there is an answer, or one is under way. `more`: decides these slots, which
 * are new in the page, and leaves the others as they are.
 */
export function createDecisions(
  state: State,
  save: Save,
  members: () => Memberships,
  ask: (members: string[], slots?: string[]) => Promise<DecideAnswer | undefined> | DecideAnswer | undefined,
  fill: (contents: Content[]) => void,
  answered: () => void,
  signal: AbortSignal,
): [want: (anew?: boolean) => void, again: () => void, more: (slots: string[]) => void] {
  /** Decided since this page began. */
  let fresh: { [slot: string]: Content } = {};
  let missed = false;
  /** Number of the newest request for all slots: an older one's answer comes too late. */
  let newest = 0;

  const decide = async (names?: string[]) => {
    const request = names ? newest : ++newest;
    await null;
    // Wanted again in this turn.
    if (request !== newest) return;
    const asked = Object.keys(members());
    const answer = await ask(asked, names);
    if (signal.aborted || request !== newest) return;
    missed ||= !answer;
    if (answer) {
      const { segments, stableId, token, until } = answer;
      const slots = { ...state.slots };
      const contents = Object.entries(answer.slots).map(([slot, { html, decision }]) => {
        const content = { ...decision, html };
        const before = fresh[slot];
        // The same again is the same decision: it is not seen twice.
        if (before?.variant === content.variant) content.id = before.id;
        slots[slot] = fresh[slot] = content;
        return content;
      });
      fill(contents);
      const denied = [...state.denied, ...asked].filter((key) => !Object.hasOwn(segments, key));
      save({ slots, segments, denied, stableId, token, until });
    }
    answered();
  };

  const want = (anew?: boolean) => {
    missed = false;
    if (anew) fresh = {};
    decide();
  };

  return [
    want,
    () => {
      if (missed) want();
    },
    decide,
  ];
}
