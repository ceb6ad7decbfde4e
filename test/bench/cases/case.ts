/** What a case gets and gives. */
import type { CaseResult } from "../report.ts";
import type { Contestant, Pace } from "../rounds.ts";
import type { Site } from "../site.ts";
import type { Bench } from "../workerd.ts";

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
