/** A site whose slots show the templates, and visitors whose traits they look at. */
import { post } from "../cases/case.ts";
import { buildBatch, createBlock, createSite, type Site } from "../site.ts";
import { buildPerson, PEOPLE, TEMPLATES } from "./templates.ts";

/** A published slot for each template, by its name. @param keys as createSite takes them */
export async function createRenderSite(url: string, keys?: Parameters<typeof createSite>[1]): Promise<Site> {
  const site = await createSite(url, keys);
  for (const [name, { source: template }] of Object.entries(TEMPLATES))
    await createBlock(url, site, name, { key: "only", audience: null, template });
  return site;
}

/** Each with some twenty events. @returns their anonymousIds, as the script makes them */
export async function seedVisitors(url: string, { writeKey }: Site, count: number): Promise<string[]> {
  const visitors: string[] = [];
  for (let number = 0; number < count; number++) {
    const anonymousId = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
    const { batch, ...envelope } = JSON.parse(buildBatch(writeKey, anonymousId).replaceAll("#", "0"));
    const { customer: traits } = buildPerson(number % PEOPLE);
    const identify = { type: "identify", messageId: `traits-${number}`, anonymousId, traits };
    await post(`${url}/v1/batch`, JSON.stringify({ ...envelope, batch: [...batch, identify] }));
    visitors.push(anonymousId);
  }
  return visitors;
}
