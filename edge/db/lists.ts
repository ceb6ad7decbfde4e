/** Lists of rows as parameters for `json_each`. */

/** D1 takes 2 MB a parameter; a character is at most three bytes. */
const LIST_CHARACTERS = 600_000;

/** The rows as JSON arrays, as few as the size of a parameter allows; none for no rows. */
export function toLists(rows: readonly unknown[]): string[] {
  const lists: string[] = [];
  let part: string[] = [];
  let size = 0;
  for (const row of rows) {
    const json = JSON.stringify(row);
    if (size + json.length > LIST_CHARACTERS && part.length) {
      lists.push(`[${part.join(",")}]`);
      part = [];
      size = 0;
    }
    part.push(json);
    size += json.length + 1;
  }
  if (part.length) lists.push(`[${part.join(",")}]`);
  return lists;
}
