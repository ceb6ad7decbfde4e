/** HTML that is more than its readers are well served with. */
import type { Finding } from "../../segments/lint/finding.ts";

/** Gmail shows no more of an e-mail. */
const EMAIL_BYTES = 102_000;
/** Of one slot of a page, which waits for it. */
const SLOT_BYTES = 30_000;

const encoder = new TextEncoder();

/** @param candidates what the same template makes or has in it: the largest counts */
export function lintSize(candidates: readonly string[], pointer: string): Finding[] {
  const bytes = Math.max(...candidates.map((html) => encoder.encode(html).length));
  if (bytes <= SLOT_BYTES) return [];
  const kilobytes = Math.round(bytes / 1_000);
  const detail =
    bytes > EMAIL_BYTES
      ? `Its HTML has ${kilobytes} kB: Gmail cuts an e-mail off at ${EMAIL_BYTES / 1_000} kB. Make it smaller.`
      : `Its HTML has ${kilobytes} kB, and a page waits for it: let it load pictures and styles from files, to be below ${SLOT_BYTES / 1_000} kB.`;
  return [{ code: "large", severity: "warning", pointer, detail }];
}
