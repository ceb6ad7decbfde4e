/** People with as many events as asked for, through the front door, so that everything a profile consists of is there. */
import { buildBatch } from "../site.ts";
import { JSON_HEADERS, type Setting } from "./case.ts";

const MOST = 100;

/** @param build the request with `count` of their events, `sent` others having gone before */
export async function fillPerson(
  { bench, site }: Setting,
  person: string,
  events: number,
  build = (count: number, sent: number) =>
    buildBatch(site.writeKey, person, count).replaceAll("##########", `fill-${sent}`),
): Promise<void> {
  for (let sent = 0; sent < events; sent += MOST) {
    const count = Math.min(MOST, events - sent);
    const body = build(count, sent);
    const response = await fetch(`${bench.product}/v1/batch`, { method: "POST", headers: JSON_HEADERS, body });
    if (!response.ok) throw new Error(`/v1/batch answered ${response.status}: ${await response.text()}`);
    const answer = (await response.json()) as { accepted: number };
    if (answer.accepted !== count) throw new Error(`/v1/batch accepted ${answer.accepted} of ${count}`);
  }
}
