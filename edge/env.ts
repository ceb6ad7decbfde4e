import type { Press } from "../shared/press.ts";

/** Bindings and secrets of the Worker, as wrangler.toml and `wrangler secret` set them. */
export interface Env {
  DB: D1Database;
  KV: KVNamespace;
  ASSETS: Fetcher;
  /** Left out where the second Worker is not deployed. */
  PRESS?: Press;
  /** Signs tokens; at least 32 characters. Secret. */
  ATTUNE_SECRET: string;
  /** The secret before the last rotation; tokens that it signed are still accepted. */
  ATTUNE_SECRET_PREVIOUS?: string;
  /** Lets its bearer create sites and keys. Secret. */
  ATTUNE_ADMIN_TOKEN?: string;
  /** `"1"` on a local start only: the demo keys are accepted. */
  ATTUNE_LOCAL?: string;
  /** How many times as long as in production somebody waits for storage; set on a local start. */
  ATTUNE_PATIENCE?: string;
  /**
   * The site's own server, which the Worker stands before: its address; `"route"`, where the Worker stands on a route of the zone;
   * `"assets"`, where the pages lie beside the Worker. Left out: there is none.
   */
  ORIGIN?: string;
  /** The write key of the site that stands there: its slots are filled in the origin's pages. */
  ORIGIN_KEY?: string;
  /**
   * Names of the hosts that are the site's, separated by commas: of them only what the script asks is Attune's, all other hosts have
   * nothing of the site's. Left out: every host has both, and the Worker's own paths come first.
   */
  ORIGIN_HOSTS?: string;
}
