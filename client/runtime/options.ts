/** What the site wrote on the script tag. Knows attributes and defaults, nothing of what is done with them. */
import type { ConsentMode } from "../../shared/consent.ts";

export interface Options {
  /** The write key, `pk_…`. */
  key: string;
  /** Prefix of every request: host and neutral path, without a trailing slash. */
  endpoint: string;
  /** Where the script came from; its lazy part lies beside it. */
  src: string;
  /** What a visitor who has not chosen yet has allowed; undefined: the manifest says. */
  consent: ConsentMode | undefined;
}

const MODES = ["off", "memory", "session", "full"];

export function isMode(value: unknown): value is ConsentMode {
  return MODES.includes(value as string);
}

/**
 * Reads the tag: `data-key`, `data-host` (default: where the script came from), `data-path` (default: `/a`),
 * `data-consent`.
 * @returns undefined where there is no tag or no key.
 */
export function readOptions(script: HTMLOrSVGScriptElement | null): Options | undefined {
  if (!(script instanceof HTMLScriptElement)) return undefined;
  const { key, host, path, consent } = script.dataset;
  if (!key) return undefined;
  const base = new URL(host || script.src, location.href);
  return {
    key,
    endpoint: base.origin + (path ?? "/a").replace(/\/$/, ""),
    src: script.src,
    consent: isMode(consent) ? consent : undefined,
  };
}
