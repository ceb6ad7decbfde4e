/**
 * How many people a site has, and some of them in place of all. Profile ids are random, whatever else is true of a profile:
 * those with the smallest ids are a uniform sample, the same one each time, and how close they lie says how many there are
 * (k minimum values: Bar-Yossef et al., 2002; the unbiased form: Beyer et al., 2007).
 */
import { selectLowestProfiles } from "../db/population.ts";

export interface Population {
  /** Profiles with the smallest ids, ascending; everybody where `ids.length` is `total`. */
  ids: string[];
  /** How many there are. */
  total: number;
  /** Relative standard error of `total`; 0 where it was counted. */
  totalError: number;
}

/** Rows that are read at most, for each profile that is wanted: some have become part of others. */
const ROWS_A_PROFILE = 2;
/** `p_` and hexadecimal digits, of which the first twelve are all random. */
const ID_DIGITS = [2, 14] as const;

/** @param size of the sample that is wanted; where most profiles were united with others it is smaller */
export async function readPopulation(db: D1Database, siteId: string, size: number): Promise<Population> {
  const limit = ROWS_A_PROFILE * size;
  const { results } = await selectLowestProfiles(db, siteId, limit + 1).all<{ id: string; merged: number }>();
  const live = results.filter(({ merged }) => !merged).map(({ id }) => id);
  const ids = live.slice(0, size);
  if (results.length <= limit) return { ids, total: live.length, totalError: 0 };
  const place = Number.parseInt(results.at(-1)!.id.slice(...ID_DIGITS), 16) / 16 ** 12;
  const share = live.length / results.length;
  return { ids, total: Math.round((share * limit) / place), totalError: 1 / Math.sqrt(live.length) };
}
