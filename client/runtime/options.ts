/** What the site wrote on the script tag. Knows attributes and defaults, nothing of what is done with them. */
import type { ConsentMode } from "../../shared/consent.ts";

export const isMode = (value: unknown): value is ConsentMode => /^(off|memory|session|full)$/.test(value as string);

/**
 * Reads the tag: `data-key`, `data-host` (an origin; default: where the script came from), `data-path` (default: `/a`),
 * `data-consent`.
 * @returns the write key, `pk_…`; the prefix of every request: host and neutral path; what a visitor who has not chosen
 * yet has allowed, undefined: the manifest says.
 */
export const readOptions = ({
  src,
  dataset: { key = "", host, path = "/a", consent },
}: HTMLScriptElement): [key: string, endpoint: string, preset: ConsentMode | undefined] => [
  key,
  (host || new URL(src).origin) + path,
  isMode(consent) ? consent : undefined,
];
