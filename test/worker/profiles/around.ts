/** The bindings of the Worker with a D1 to which things happen. */
import { env } from "cloudflare:test";
import type { Env } from "../../../edge/env.ts";
import { bindings } from "../site.ts";

/** Something happens as the due are listed, and before or after each writing of profiles. */
export function around(on: {
  listed?: () => void;
  before?: (writes: number) => unknown;
  after?: (writes: number) => unknown;
}): { seen: { writes: number }; env: Env } {
  const seen = { writes: 0 };
  let isWrite = false;
  const DB = new Proxy(env.DB, {
    get(db, name) {
      if (name === "prepare") {
        return (sql: string) => {
          isWrite ||= sql.includes("INSERT INTO profiles");
          if (sql.includes("ORDER BY wakes_at")) on.listed?.();
          return db.prepare(sql);
        };
      }
      if (name === "batch") {
        return async (statements: D1PreparedStatement[]) => {
          if (!isWrite) return db.batch(statements);
          isWrite = false;
          seen.writes++;
          await on.before?.(seen.writes);
          const results = await db.batch(statements);
          await on.after?.(seen.writes);
          return results;
        };
      }
      const value = Reflect.get(db, name);
      return typeof value === "function" ? value.bind(db) : value;
    },
  });
  return { seen, env: { ...bindings, DB } };
}

/**
 * A Worker that dies in the middle: nothing gets through to D1 from the round trip number `trips` on, which itself is lost on its way
 * there, or on its way back.
 */
export function dying(trips: number, lost: "there" | "back"): { died: () => boolean; env: Env } {
  let count = 0;
  const gone = () => new Error("D1_ERROR: Network connection lost.");
  async function pass<T>(call: () => Promise<T>): Promise<T> {
    if (++count > trips || (count === trips && lost === "there")) throw gone();
    const result = await call();
    if (count >= trips) throw gone();
    return result;
  }
  return { died: () => count >= trips, env: { ...bindings, DB: throughEach(pass) } };
}

/** Something happens before the round trip number `trip` to D1. */
export function between(trip: number, happen: () => Promise<unknown>): { happened: () => boolean; env: Env } {
  let count = 0;
  const pass = async <T>(call: () => Promise<T>): Promise<T> => {
    if (++count === trip) await happen();
    return call();
  };
  return { happened: () => count >= trip, env: { ...bindings, DB: throughEach(pass) } };
}

type Pass = <T>(call: () => Promise<T>, statements: number) => Promise<T>;

/** D1, each round trip of it through `pass`, which is told how many statements it takes. */
export function throughEach(pass: Pass): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>();
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      all: () => pass(() => statement.all(), 1),
      run: () => pass(() => statement.run(), 1),
      first: (column: string) => pass(() => (column === undefined ? statement.first() : statement.first(column)), 1),
    } as unknown as D1PreparedStatement;
    originals.set(wrapped, statement);
    return wrapped;
  };
  return {
    prepare: (sql: string) => wrap(env.DB.prepare(sql)),
    batch: (statements: D1PreparedStatement[]) =>
      pass(() => env.DB.batch(statements.map((statement) => originals.get(statement)!)), statements.length),
  } as unknown as D1Database;
}
