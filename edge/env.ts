import type { PaintedCard } from "../shared/card.ts";

/** What the second Worker does for this one. It answers for whatever comes: what is wrong is told, not thrown. */
export interface Press {
  paint(card: PaintedCard, scale: 1 | 2): Promise<{ png: ArrayBuffer } | { error: string }>;
  compileMjml(source: string): Promise<{ html: string } | { errors: { line?: number; message: string }[] }>;
}

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
}
