/** What the site wrote on the script tag. Knows attributes and defaults, nothing of what is done with them. */
import type { ConsentMode } from "../../shared/consent.ts";

export interface Options {
  /** The write key, `pk_…`. */
  key: string;
  /** Prefix of every request: host and neutral path. */
  endpoint: string;
  /** What a visitor who has not chosen yet has allowed; undefined: the manifest says. */
  preset: ConsentMode | undefined;
}

export const isMode = (value: unknown): value is ConsentMode => /^(off|memory|session|full)$/.test(value as string);

/**
 * Reads the tag: `data-key`, `data-host` (an origin; default: where the script came from), `data-path` (default: `/a`),
 * `data-consent`.
 */
export function readOptions({ src, dataset: { key = "", host, path = "/a", consent } }: HTMLScriptElement): Options {
  return {
    key,
    endpoint: (host || new URL(src).origin) + path,
    preset: isMode(consent) ? consent : undefined,
  };
}
