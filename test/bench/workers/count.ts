/** Wraps a D1 binding: each round trip it makes, with its time, and the rows that D1 bills, statement by statement. */

export interface Usage {
  /** Round trips. */
  calls: { method: string; ms: number; statements: StatementUsage[] }[];
  rowsRead: number;
  rowsWritten: number;
}

interface StatementUsage {
  sql: string;
  rowsRead: number;
  rowsWritten: number;
}

type Method = (...args: unknown[]) => unknown;
interface Result {
  results?: Record<string, unknown>[];
  meta?: { rows_read?: number; rows_written?: number };
}

/** Wrapped statement → the one it stands for: D1 accepts its own objects only. */
const originals = new WeakMap<object, { original: object; sql: string }>();

export function countDatabase<T extends object>(database: T, usage: Usage): T {
  async function time(method: string, sqls: string[], call: () => unknown): Promise<unknown> {
    const startedAt = performance.now();
    const result = await call();
    const results = (Array.isArray(result) ? result : [result]) as (Result | null)[];
    const statements = sqls.map((sql, index) => ({
      sql,
      rowsRead: results[index]?.meta?.rows_read ?? 0,
      rowsWritten: results[index]?.meta?.rows_written ?? 0,
    }));
    usage.calls.push({ method, ms: performance.now() - startedAt, statements });
    for (const { rowsRead, rowsWritten } of statements) {
      usage.rowsRead += rowsRead;
      usage.rowsWritten += rowsWritten;
    }
    return result;
  }

  function countStatement(original: object, sql: string): object {
    const wrapped = new Proxy(original, {
      get(target, name) {
        const method = Reflect.get(target, name) as Method;
        if (typeof method !== "function") return method;
        if (name === "bind") {
          return (...values: unknown[]) => countStatement(method.apply(target, values) as object, sql);
        }
        if (name !== "first")
          return (...args: unknown[]) => time(String(name), [sql], () => method.apply(target, args));
        // `first` hides what it cost; `all` of the same statement says it.
        return async (column?: string) => {
          const all = Reflect.get(target, "all") as Method;
          const { results = [] } = (await time("first", [sql], () => all.call(target))) as Result;
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
      if (name === "prepare") {
        return (sql: string) => countStatement(method.call(target, sql) as object, sql.replace(/\s+/g, " ").trim());
      }
      if (name === "withSession") {
        return (...args: unknown[]) => countDatabase(method.apply(target, args) as object, usage);
      }
      if (name !== "batch") return (...args: unknown[]) => time(String(name), [], () => method.apply(target, args));
      return (statements: object[]) => {
        const known = statements.map((statement) => originals.get(statement) ?? { original: statement, sql: "?" });
        const sqls = known.map(({ sql }) => sql);
        return time("batch", sqls, () =>
          method.call(
            target,
            known.map(({ original }) => original),
          ),
        );
      };
    },
  });
}
