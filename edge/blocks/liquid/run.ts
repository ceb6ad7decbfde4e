/** One rendering: what it may look at, its moment, its limits, and what it has written so far. */
import type { JsonObject } from "../../../shared/event.ts";
import { LimitError } from "./limits.ts";

/** Each body of a loop, branch or template that is entered is one step, and so is each node in it. A clock would not do: in a Worker it stands still while code runs. */
export const STEPS = 20_000;
const OUTPUT_BYTES = 512 * 1024;
/** Characters and elements that values and filters make, and operations on them. */
const MEMORY = 2_000_000;

/** What a template can name. Whatever is left out is empty. */
export interface Scope {
  customer?: JsonObject;
  segment?: { [key: string]: boolean };
  cart?: unknown;
  product_recommendations?: unknown;
  context?: JsonObject;
  site?: JsonObject;
}

export interface Moment {
  /** Epoch milliseconds: what `'now' | date` says. */
  now: number;
  /** IANA zone in which `date` writes where the visitor's is not known. */
  timeZone: string;
}

export type Leaves = "" | "continue" | "break";

export class Run {
  scope: { [name: string]: unknown; context?: { [name: string]: unknown } };
  readonly moment: Moment;
  out = "";
  /** What the template has made, by the number that the compiler gave the name. */
  made: unknown[];
  /** The loop was told to go on with the next item, or to end. */
  leaves: Leaves = "";
  /** Of each `cycle` the candidate that is next. */
  cycles: Map<string, number> | undefined;
  #host: object | undefined;
  #steps = 0;
  #memory = 0;

  constructor(scope: Scope, moment: Moment, made: unknown[]) {
    this.scope = scope as Run["scope"];
    this.moment = moment;
    this.made = made;
  }

  /** What filters of liquidjs are called on. */
  get host(): object {
    this.#host ??= { context: { memoryLimit: this } };
    return this.#host;
  }

  step(count: number): void {
    this.#steps += count;
    if (this.#steps > STEPS) throw new LimitError("the template takes too many steps");
  }

  use(count: number): void {
    if (count > 0) this.#memory += count;
    if (this.#memory > MEMORY) throw new LimitError("the template makes too much of its values");
  }

  /** After everything that may write more than a template is long. */
  checkOutput(): void {
    if (this.out.length > OUTPUT_BYTES) throw new LimitError("the template writes too much");
  }
}
