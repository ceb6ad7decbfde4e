/** The Worker with other secrets, or with storage that is counted or fails. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import type { Env } from "../../../edge/env.ts";
import worker from "../../../edge/worker.ts";
import { throughEach } from "../profiles/around.ts";
import { bindings } from "../site.ts";

/** Answers a request, and has done what runs behind the answer. @param answered is called between the two */
export async function ask(env: Env, path: string, init: RequestInit = {}, answered = () => {}): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request<unknown, IncomingRequestCfProperties>(`https://edge.example${path}`, init as never);
  const response = await worker.fetch(request, env, context);
  answered();
  await waitOnExecutionContext(context);
  return response;
}

export interface Counted {
  /** Statements to D1, and round trips. */
  statements: number;
  trips: number;
  /** Keys of KV, in the order in which they were asked for. */
  gets: string[];
  puts: string[];
  deletes: string[];
}

/** @param refuses whether KV fails where it would write */
export function counting(refuses: (key: string) => boolean = () => false): { env: Env; counted: Counted } {
  const counted: Counted = { statements: 0, trips: 0, gets: [], puts: [], deletes: [] };
  const DB = throughEach((call, statements) => {
    counted.trips++;
    counted.statements += statements;
    return call();
  });
  const { KV } = bindings;
  const write = (key: string, keys: string[], call: () => Promise<void>) => {
    keys.push(key);
    return refuses(key) ? Promise.reject(new Error("KV PUT failed: 429 Too Many Requests")) : call();
  };
  const kv = {
    get: (key: string, options: never) => {
      counted.gets.push(key);
      return KV.get(key, options);
    },
    put: (key: string, value: string, options: KVNamespacePutOptions) =>
      write(key, counted.puts, () => KV.put(key, value, options)),
    delete: (key: string) => write(key, counted.deletes, () => KV.delete(key)),
  } as unknown as KVNamespace;
  return { env: { ...bindings, DB, KV: kv }, counted };
}
