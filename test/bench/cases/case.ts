/** What a case gets and gives. */
import type { CaseResult } from "../report.ts";
import type { Contestant, Pace } from "../rounds.ts";
import type { Site } from "../site.ts";
import type { Bench } from "../workerd.ts";
import type { Usage } from "../workers/count.ts";

export interface Setting {
  bench: Bench;
  site: Site;
  pace: Pace;
  quick: boolean;
  /** A file of clicks, as test/bench/clicks.ts reads it. */
  clicks?: string | undefined;
}

export interface Case {
  name: string;
  /** Of the product. */
  needsWorkerd: boolean;
  run(setting: Setting): Promise<CaseResult>;
  /** The load under which `--profile` looks where the product's time goes. */
  profiled?(setting: Setting): Promise<Contestant>;
}

export const JSON_HEADERS = { "content-type": "application/json" };

/** One question of several that take turns. */
export const toTurn = (question: object) => ({ body: JSON.stringify(question) });

/** @throws Error where the answer is no success */
export async function post(url: string, body: string): Promise<Response> {
  const response = await fetch(url, { method: "POST", headers: JSON_HEADERS, body });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response;
}

/** D1 round trips of a question to /v1/decide. */
export async function countCalls({ bench }: Setting, question: object): Promise<number> {
  // The second: the first of an isolate also reads the site.
  await post(`${bench.counted}/v1/decide`, JSON.stringify(question));
  const response = await post(`${bench.counted}/v1/decide`, JSON.stringify(question));
  return (JSON.parse(response.headers.get("x-bench")!) as Usage).calls.length;
}
