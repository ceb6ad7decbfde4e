/** Creates the demo site with its segments and blocks through the developer API: only what is missing, so it can run at each start. */
import { BLOCKS, SEGMENTS, SITE } from "../client/demo/seed.ts";
import { type Api, callApi } from "./api.ts";

const NO_SITE = [401, 403];

/** @param admin the Worker with its admin token. */
export async function seedDemo(admin: Api): Promise<void> {
  const site: Api = { url: admin.url, token: SITE.secretKey };
  let segments = await listKeys(site, "segments");
  if (!segments) {
    await callApi(admin, "POST", "/api/sites", SITE);
    segments = new Set();
  }
  for (const segment of SEGMENTS) {
    if (!segments.has(segment.key)) await callApi(site, "POST", "/api/segments", segment);
  }
  const blocks = (await listKeys(site, "blocks")) ?? new Set();
  for (const block of BLOCKS) {
    if (blocks.has(block.key)) continue;
    await callApi(site, "POST", "/api/blocks", block);
    await callApi(site, "POST", `/api/blocks/${block.key}/publish`);
  }
}

/** Keys of what the site has; null where the secret key opens no site yet. */
async function listKeys(site: Api, what: "segments" | "blocks"): Promise<Set<string> | null> {
  const { status, body } = await callApi<{ data: { key: string }[] }>(
    site,
    "GET",
    `/api/${what}?limit=200`,
    undefined,
    NO_SITE,
  );
  return status === 200 ? new Set(body.data.map(({ key }) => key)) : null;
}
