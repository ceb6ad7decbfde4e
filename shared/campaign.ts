/** The campaign that an address names, in Segment's form. */

/** @param query its parameters. @returns undefined where there is no campaign. */
export function campaignOf(query: Iterable<[name: string, value: string]>): { [name: string]: string } | undefined {
  const campaign: { [name: string]: string } = {};
  for (const [key, value] of query) {
    if (key.startsWith("utm_")) campaign[key.slice(4).replace("campaign", "name")] = value;
  }
  return campaign["source"] ? campaign : undefined;
}
