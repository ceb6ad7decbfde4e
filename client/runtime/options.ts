/** What the site wrote on the script tag. Knows attributes and defaults, nothing of what is done with them. */
import type { ConsentMode } from "../../shared/consent.ts";

export interface Options {
  /** The write key, `pk_…`; undefined: there is no tag to speak of. */
  key: string | undefined;
  /** Prefix of every request: host and neutral path. */
  endpoint: string;
  /** Where the script came from; its lazy part lies beside it. */
  src: string;
  /** What a visitor who has not chosen yet has allowed; undefined: the manifest says. */
  consent: ConsentMode | undefined;
}

export const isMode = (value: unknown): value is ConsentMode => /^(off|memory|session|full)$/.test(value as string);

/**
 * Reads the tag: `data-key`, `data-host` (an origin; default: where the script came from), `data-path` (default: `/a`),
 * `data-consent`.
 */
export function readOptions(script: HTMLOrSVGScriptElement | null): Options {
  const { src = "", dataset = {} as DOMStringMap } = (script ?? {}) as Partial<HTMLScriptElement>;
  const { key, host, path = "/a", consent } = dataset;
  return {
    key,
    endpoint: (host || src.split("/", 3).join("/")) + path,
    src,
    consent: isMode(consent) ? consent : undefined,
  };
}
