/** What the views show. They make elements of it and do nothing themselves. */
import type { Message } from "../../../shared/event.ts";
import type { Inside } from "../inside.ts";
import type { Journal } from "../journal.ts";
import type { Simulation } from "../simulation.ts";
import type { Standing } from "../standing.ts";

export interface Model extends Inside {
  now: number;
  journal: Journal;
  simulation: Simulation;
  /** As the plan has it; without a plan, as it is. */
  standings: Standing[];
  /** As it is. */
  actual: Standing[];
  /** Messages without an ack, oldest first, other tabs' included. */
  waiting: Message[];
  /** What was typed to find a segment. */
  filter: string;
  /** What was just put on the clipboard. */
  copied: string | undefined;
  /** Why the last question of the simulation has no answer. */
  problem: string | undefined;
}

export type View = (model: Model) => HTMLElement[];
