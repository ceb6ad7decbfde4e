/** Sender clocks: when did it really happen, by our clock? */

/**
 * Corrects a sender's timestamp by the skew that `sentAt` reveals, as Segment does:
 * `receivedAt - (sentAt - timestamp)`. What would lie in the future happened now.
 *
 * @param receivedAt epoch milliseconds, ours
 * @param sentAt epoch milliseconds, the sender's; null where the sender did not say
 * @param timestamp epoch milliseconds, the sender's; null where the sender did not say
 */
export function correctTime(receivedAt: number, sentAt: number | null, timestamp: number | null): number {
  if (timestamp === null) return receivedAt;
  const corrected = sentAt === null ? timestamp : receivedAt - (sentAt - timestamp);
  return Math.max(0, Math.min(corrected, receivedAt));
}
