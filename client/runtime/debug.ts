/** The lazy part, `attune.debug.js`: says why, which the script itself does not need to know. */
import { explain } from "../../shared/engine/explain.ts";
import { browserLanguage } from "../../shared/engine/language.ts";
import type { Subject, Why } from "../../shared/engine/types.ts";
import type { PublicManifest } from "../../shared/manifest.ts";

/** One trace per public segment, in the order of the manifest. */
export function explainAll({ segments, timeZone }: PublicManifest, subject: Subject, now: number): Explanation[] {
  return segments.map(({ key, condition }) => ({
    key,
    ...explain(condition, subject, now, { timeZone, rules: segments, language: browserLanguage }),
  }));
}

/** Why the visitor is, or is not, in the segment `key`. */
export type Explanation = Why & { key: string };
