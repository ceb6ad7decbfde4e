/** Where a click leads: only to what the block's author wrote, or to the site's own origins. */
import type { ManifestBlock } from "../../shared/manifest.ts";

/**
 * The link as it was rendered, if it may be followed: https, to a host that the author wrote out in any link of the block, or to one of
 * the site's origins. A value that makes another host of it makes it none.
 */
export function checkLink(link: string, links: readonly string[], origins: readonly string[]): string | null {
  const url = URL.canParse(link.trim()) ? new URL(link.trim()) : null;
  if (url?.protocol !== "https:" || url.username || url.password) return null;
  const hosts = new Set([...links.flatMap(writtenHosts), ...origins.flatMap(hostOf)]);
  return hosts.has(url.host) ? url.href : null;
}

/** Links of all variants of a block, as written. */
export function linksOf({ variants }: Pick<ManifestBlock, "variants">): string[] {
  return variants.flatMap(({ link }) => link ?? []);
}

/** Where a click leads when the block has no link, or not any more; null: nowhere. */
export function homeOf(origins: readonly string[]): string | null {
  const home = origins.find((origin) => origin.startsWith("https://"));
  return home && URL.canParse(home) ? new URL(home).href : null;
}

/** What stands between `https://` and the next delimiter: what Liquid adds to it makes it another host, which is not written here. */
function writtenHosts(link: string): string[] {
  return [...link.matchAll(/https:\/\/([^\s/?#\\{}%"'<>]+)/gi)].flatMap(([, host]) => hostOf(`https://${host}`));
}

function hostOf(origin: string): string[] {
  const url = URL.canParse(origin) ? new URL(origin) : null;
  return url?.host && !url.username && !url.password ? [url.host] : [];
}
