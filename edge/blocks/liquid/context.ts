/** What liquidjs renders with: a rendering's limits, its values as all see them, its output. */
import { Context, type Emitter, type Liquid } from "liquidjs";
import type { Run } from "./run.ts";
import { readProperty } from "./values.ts";

export class RunContext extends Context {
  readonly run: Run;

  /** @param weight steps that a node takes */
  constructor(run: Run, liquid: Liquid, weight: number) {
    // `increment` writes into the scope: it gets one of its own.
    const scope = Object.assign(Object.create(null), run.scope);
    // liquidjs asks this limiter before each body and each node in it.
    const renderLimit = { check: () => run.step(weight) };
    const limits = { memoryLimit: run, renderLimit } as unknown as { [limit: string]: Context["memoryLimit"] };
    super(scope, liquid.options, { sync: true, globals: Object.create(null) }, { ...limits, liquid });
    this.run = run;
  }

  override readProperty(value: unknown, key: unknown): unknown {
    return readProperty(value, key);
  }
}

export function runOf(context: Context): Run {
  return (context as RunContext).run;
}

/** Where tags and values write. */
export class RunEmitter implements Emitter {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  get buffer(): string {
    return this.#run.out;
  }

  /** Values come as text; the rest is what tags like `increment` write: numbers. */
  write(text: unknown): void {
    this.#run.out += text;
    this.#run.checkOutput();
  }
}
