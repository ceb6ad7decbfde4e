/** Looks again at what the edge has decided for a page that it filled: whether there is something that it has not seen. */
import type { Message } from "../../shared/event.ts";
import type { DecideAnswer } from "../../shared/wire.ts";

/** What the visit itself sees, when a page begins and ends, is always among what waits. */
const OWN = /^Page Engagement$|^Attune /;

/**
 * @param slots of the page.
 * @param list what waits to be sent: of the page before, or said while this one came.
 * @param want asks.
 */
export async function reviewHanded(
  handed: DecideAnswer,
  slots: string[],
  list: () => Promise<Message[]>,
  want: () => void,
): Promise<void> {
  const waiting = await list();
  const isNews = ({ type, event = "" }: Message) => type !== "page" && !OWN.test(event);
  if (waiting.some(isNews) || slots.some((slot) => !Object.hasOwn(handed.slots, slot))) want();
}
