/** The site's public configuration. The browser's own cache revalidates it by ETag; offline an old one still serves. */
import type { PublicManifest } from "../../shared/manifest.ts";
import { report } from "./emitter.ts";

/** Undefined, and `report` hears of it, where there is neither network nor a cached copy. */
export function fetchManifest(endpoint: string, key: string): Promise<PublicManifest | undefined> {
  const read = async (cache: RequestCache) => {
    const response = await fetch(`${endpoint}/manifest/${key}`, { cache });
    if (!response.ok) throw response.status;
    return response.json();
  };
  return read("default").catch(() => read("force-cache").catch(report));
}
