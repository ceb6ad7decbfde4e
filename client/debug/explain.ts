/** Why the visitor is, or is not, in each public segment: the engine's own answers with what each leaf found. */
import { explain } from "../../shared/engine/explain.ts";
import { browserLanguage } from "../../shared/engine/language.ts";
import type { Subject, Why } from "../../shared/engine/types.ts";
import { HISTORY_EVENTS } from "../../shared/limits.ts";
import type { PublicManifest } from "../../shared/manifest.ts";

/** Why the visitor is, or is not, in the segment `key`. */
export type Explanation = Why & { key: string };

/** One trace per public segment, in the order of the manifest. */
export function explainAll({ segments, timeZone }: PublicManifest, subject: Subject, now: number): Explanation[] {
  const { events } = subject;
  // As many as are kept: there may have been more.
  const completeAfter = events.length < HISTORY_EVENTS ? null : events[0]!.timestamp;
  return segments.map(({ key, condition }) => ({
    key,
    ...explain(condition, { ...subject, completeAfter }, now, { timeZone, rules: segments, language: browserLanguage }),
  }));
}
