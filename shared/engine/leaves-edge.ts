/** All the leaves of the language: the browser's and the calendar's. */
import { browserLeaves } from "./leaves.ts";
import type { Leaves } from "./run.ts";

/** What the Worker decides with. */
export const allLeaves: Leaves = { ...browserLeaves };
