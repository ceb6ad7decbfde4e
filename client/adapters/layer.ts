/** What a page pushes, and has pushed, to a list that others read: Google's data layer. */

/**
 * Hands over each entry, those that are there included, before the list's own reader gets it.
 * @param read may throw: an entry that cannot be read is none of ours.
 */
export function hearLayer(entries: unknown[], read: (entry: unknown) => void): void {
  const attempt = (entry: unknown) => {
    try {
      read(entry);
    } catch {
      // None of ours.
    }
  };
  const { push } = entries;
  entries.push = function (...added) {
    added.forEach(attempt);
    return push.apply(this, added);
  };
  [...entries].forEach(attempt);
}
