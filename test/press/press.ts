/** The press as the first Worker reaches it: bundled, by RPC. */
import { env } from "cloudflare:workers";
import type { Press } from "../../shared/press.ts";

export const press = (env as unknown as { PRESS: Press }).PRESS;
