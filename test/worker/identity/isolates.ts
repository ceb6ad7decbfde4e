/**
 * Several isolates of the Worker with one D1 between them, and a say in who of them gets through to it next: any interleaving of
 * requests, drawn by seed.
 */
import { env } from "cloudflare:test";
import { vi } from "vitest";
import type { Env } from "../../../edge/env.ts";
import type { Random } from "../../unit/shared/random.ts";
import { bindings } from "../site.ts";

/** Modules of its own: what one remembers, no other knows. */
export interface Isolate {
  batch: typeof import("../../../edge/delivery/batch.ts");
  links: typeof import("../../../edge/db/links.ts");
  site: typeof import("../../../edge/manifest/read.ts");
  unlink: typeof import("../../../edge/identity/unlink.ts");
}

export async function startIsolates(count: number): Promise<Isolate[]> {
  const isolates: Isolate[] = [];
  while (isolates.length < count) {
    vi.resetModules();
    isolates.push({
      batch: await import("../../../edge/delivery/batch.ts"),
      links: await import("../../../edge/db/links.ts"),
      site: await import("../../../edge/manifest/read.ts"),
      unlink: await import("../../../edge/identity/unlink.ts"),
    });
  }
  return isolates;
}

/** What may happen to a transaction on its way. */
export type Fate = "arrives" | "lost on its way there" | "lost on its way back";

/** One round trip to D1 at a time, of those that are waited for at that moment whichever is drawn. */
export class Gate {
  readonly #random: Random;
  readonly #waiting: (() => Promise<void>)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** @returns bindings for one request. @param committed hears of each transaction that wrote people and has been carried out */
  open(fate: () => Fate, committed: () => Promise<void>): Env {
    let isWrite = false;
    const DB = {
      prepare: (sql: string) => {
        isWrite ||= sql.includes("INSERT INTO profiles");
        return env.DB.prepare(sql);
      },
      batch: (statements: D1PreparedStatement[]) => {
        const writes = isWrite;
        isWrite = false;
        return this.#pass(async () => {
          const drawn = writes ? fate() : "arrives";
          if (drawn === "lost on its way there") throw new Error("D1_ERROR: Network connection lost.");
          const results = await env.DB.batch(statements);
          if (writes) await committed();
          if (drawn === "lost on its way back") throw new Error("D1_ERROR: Network connection lost.");
          return results;
        });
      },
    } as unknown as D1Database;
    return { ...bindings, DB };
  }

  /** Lets requests through until all work is done. */
  async run(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    const settled = work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      // Whoever has been let through comes back to the gate, or ends.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const [next] = this.#waiting.splice(this.#random.below(this.#waiting.length), 1);
      await next?.();
    }
    await settled;
  }

  #pass<T>(call: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push(() => call().then(resolve, reject));
    return promise;
  }
}
