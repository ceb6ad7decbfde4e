/** Looks again at what the edge has decided for a page that it filled: whether there is something that it has not seen. */
import type { JsonObject, Message } from "../../shared/event.ts";
import type { HandedOver } from "../../shared/wire.ts";

/** What the visit itself sees, when a page begins and ends, is always among what waits. */
const OWN = /^Page Engagement$|^Attune /;

/**
 * @param slots of the page.
 * @param device as the browser knows it.
 * @param list what waits to be sent: of the page before, or said while this one came.
 * @param want asks.
 */
export async function reviewHanded(
  handed: HandedOver,
  slots: string[],
  device: unknown,
  list: () => Promise<Message[]>,
  want: () => void,
): Promise<void> {
  const waiting = await list();
  const isNews = ({ type, event = "" }: Message) => type !== "page" && !OWN.test(event);
  const isOther = (device as JsonObject)["type"] !== handed.device;
  if (isOther || waiting.some(isNews) || slots.some((slot) => !Object.hasOwn(handed.slots, slot))) want();
}
