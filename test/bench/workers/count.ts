/** Wraps a D1 binding: each round trip it makes, with its time, and the rows that D1 bills. */

export interface Usage {
  calls: { method: string; statements: string[]; ms: number; rowsRead: number; rowsWritten: number }[];
  rowsRead: number;
  rowsWritten: number;
}

type Method = (...args: unknown[]) => unknown;
interface Result {
  meta?: { rows_read?: number; rows_written?: number };
}
interface Counted {
  original: object;
  sql: string;
}

/** Wrapped statement → what it stands for: D1 accepts its own objects only. */
const originals = new WeakMap<object, Counted>();

export function countDatabase<T extends object>(database: T, usage: Usage): T {
  async function time(method: string, statements: string[], call: () => unknown): Promise<unknown> {
    const startedAt = performance.now();
    const result = await call();
    const results = (Array.isArray(result) ? result : [result]) as (Result | null)[];
    const sum = (column: "rows_read" | "rows_written") =>
      results.reduce((total, one) => total + (one?.meta?.[column] ?? 0), 0);
    const rowsRead = sum("rows_read");
    const rowsWritten = sum("rows_written");
    usage.calls.push({ method, statements, ms: performance.now() - startedAt, rowsRead, rowsWritten });
    usage.rowsRead += rowsRead;
    usage.rowsWritten += rowsWritten;
    return result;
  }

  function countStatement(original: object, sql: string): object {
    const wrapped = new Proxy(original, {
      get(target, name) {
        const method = Reflect.get(target, name) as Method;
        if (typeof method !== "function") return method;
        if (name === "bind")
          return (...values: unknown[]) => countStatement(method.apply(target, values) as object, sql);
        if (name !== "first")
          return (...args: unknown[]) => time(String(name), [sql], () => method.apply(target, args));
        // `first` hides what it cost; `all` of the same statement says it.
        return async (column?: string) => {
          const all = Reflect.get(target, "all") as Method;
          const { results } = (await time("first", [sql], () => all.call(target))) as {
            results: Record<string, unknown>[];
          };
          return column === undefined ? (results[0] ?? null) : (results[0]?.[column] ?? null);
        };
      },
    });
    originals.set(wrapped, { original, sql });
    return wrapped;
  }

  return new Proxy(database, {
    get(target, name) {
      const method = Reflect.get(target, name) as Method;
      if (typeof method !== "function") return method;
      if (name === "prepare")
        return (sql: string) => countStatement(method.call(target, sql) as object, sql.replace(/\s+/g, " ").trim());
      if (name === "withSession")
        return (...args: unknown[]) => countDatabase(method.apply(target, args) as object, usage);
      if (name !== "batch") return (...args: unknown[]) => time(String(name), [], () => method.apply(target, args));
      return (statements: object[]) => {
        const counted = statements.map((statement) => originals.get(statement) ?? { original: statement, sql: "?" });
        return time(
          "batch",
          counted.map(({ sql }) => sql),
          () =>
            method.call(
              target,
              counted.map(({ original }) => original),
            ),
        );
      };
    },
  });
}
