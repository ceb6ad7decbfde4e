/** Storage as the public plane uses it: busy is not broken. */
import { isOverload } from "../db/errors.ts";
import { Problem } from "../problem.ts";

/** Runs a read or write; a store that cannot take it now is a 503, so that the sender keeps its events and tries again. */
export async function store<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isOverload(error)) throw new Problem("overloaded", undefined, { retryAfterSeconds: 2 });
    throw error;
  }
}
