/** How long an answer about one person may be kept by whoever asked. */
import { PROFILE_TOKEN_FRESH_MS } from "../tokens.ts";

/** Others change profiles, too: nobody keeps an answer for longer than a token stands in for a reading. */
const KEPT_SECONDS = PROFILE_TOKEN_FRESH_MS / 1000;

/** Cache-Control of an answer that holds until then, epoch milliseconds; null: if nothing new happens, for ever. Never for shared caches. */
export function keepFor(until: number | null, now: number): string {
  const seconds = until === null ? KEPT_SECONDS : Math.floor((until - now) / 1000);
  return seconds > 0 ? `private, max-age=${Math.min(seconds, KEPT_SECONDS)}` : "no-store";
}
