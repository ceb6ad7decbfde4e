/** A new site, made through the API as an administrator makes one. */
import { callApi } from "../../cli/api.ts";

export interface SiteKeys {
  writeKey: string;
  secretKey: string;
}

export async function createSite(url: string, adminToken: string): Promise<SiteKeys> {
  const { body } = await callApi<SiteKeys>({ url, token: adminToken }, "POST", "/api/sites", {
    name: "system.example",
    consentDefault: "full",
  });
  return { writeKey: body.writeKey, secretKey: body.secretKey };
}
