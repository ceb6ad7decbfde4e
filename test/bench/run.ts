/** `npm run bench [-- case …]`: the product beside what it is compared with, in one run on one workerd, ratios printed. */
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { browserEvent } from "./browser/event.ts";
import { browserGrowth } from "./browser/growth.ts";
import { browserOffline } from "./browser/offline.ts";
import { browserPage } from "./browser/page.ts";
import { browserScript } from "./browser/script.ts";
import type { Case, Setting } from "./cases/case.ts";
import { decide } from "./cases/decide.ts";
import { email } from "./cases/email.ts";
import { growth } from "./cases/growth.ts";
import { identity } from "./cases/identity.ts";
import { ingest } from "./cases/ingest.ts";
import { link } from "./cases/link.ts";
import { lookup } from "./cases/lookup.ts";
import { pressPaint } from "./cases/press-paint.ts";
import { pressStart } from "./cases/press-start.ts";
import { renderAlone } from "./cases/render-alone.ts";
import { renderDecide } from "./cases/render-decide.ts";
import { renderStream } from "./cases/render-stream.ts";
import { rulesRequest } from "./cases/rules-request.ts";
import { rulesScript } from "./cases/rules-script.ts";
import { rulesTraits } from "./cases/rules-traits.ts";
import { rulesUpdates } from "./cases/rules-updates.ts";
import { rulesWindows } from "./cases/rules-windows.ts";
import { size } from "./cases/size.ts";
import { wake } from "./cases/wake.ts";
import { profile } from "./profile.ts";
import { formatCase, formatGoal, type Goal, isMissed } from "./report.ts";
import { createSite } from "./site.ts";
import { type Bench, startBench } from "./workerd.ts";

const PROFILE_MS = 3_000;
const CASES: readonly Case[] = [
  size,
  decide,
  ingest,
  growth,
  identity,
  link,
  lookup,
  wake,
  rulesTraits,
  rulesWindows,
  rulesUpdates,
  rulesRequest,
  rulesScript,
  renderAlone,
  renderDecide,
  renderStream,
  email,
  pressPaint,
  pressStart,
  browserScript,
  browserPage,
  browserEvent,
  browserOffline,
  browserGrowth,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    clicks: { type: "string" },
  },
});
const chosen = CASES.filter(({ name }) => positionals.length === 0 || positionals.some((text) => name.includes(text)));
if (chosen.length === 0) {
  console.error(
    `usage: npm run bench -- [--quick] [--json] [--profile] [--clicks FILE] [${CASES.map(({ name }) => name).join(" | ")}]`,
  );
  process.exit(2);
}
const pace = values.quick ? { rounds: 3, roundMs: 800, warmMs: 1_000 } : { rounds: 7, roundMs: 1_500, warmMs: 2_000 };

const startedAt = performance.now();
const results: unknown[] = [];
const goals: Goal[] = [];
let bench: Bench | undefined;
const print = (text: string) => (values.json ? process.stderr : process.stdout).write(`${text}\n`);

print(describeEnvironment());
try {
  let site: Awaited<ReturnType<typeof createSite>> | undefined;
  for (const one of chosen) {
    if (one.needsWorkerd && !bench) {
      bench = await startBench({ inspect: values.profile });
      site = await createSite(bench.product);
    }
    if (values.profile) {
      if (one.profiled)
        print(
          await describeProfile(one, { bench: bench!, site: site!, pace, quick: values.quick, clicks: values.clicks }),
        );
      continue;
    }
    const result = await one.run({ bench: bench!, site: site!, pace, quick: values.quick, clicks: values.clicks });
    results.push({ name: one.name, ...result });
    goals.push(...result.goals);
    print(formatCase(result));
  }
} finally {
  await bench?.stop();
}
if (goals.length > 0) print(`\nGoals\n${goals.map(formatGoal).join("\n")}`);
print(`\n${Math.round((performance.now() - startedAt) / 1_000)} s`);
if (values.json) console.log(JSON.stringify({ environment: describeEnvironment(), results }, null, 2));
process.exitCode = goals.some(isMissed) ? 1 : 0;

/** Where the product's CPU time goes under the load of a case. */
async function describeProfile(one: Case, setting: Setting): Promise<string> {
  const lines = await profile(setting.bench, await one.profiled!(setting), PROFILE_MS);
  return [`\n${one.name}: own time of functions, while JavaScript ran`, ...lines.map((line) => `  ${line}`)].join("\n");
}

function describeEnvironment(): string {
  const versionOf = (name: string) =>
    JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
  const model = cpus()[0]?.model.trim() ?? "unknown CPU";
  return [
    `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, Node ${process.version}`,
    `workerd ${versionOf("workerd")} on a direct socket, D1 and KV on disk; load: plain sockets from a thread of this process, 16 connections`,
    `medians of ${pace.rounds} alternating rounds of ${pace.roundMs / 1_000} s; "× bare" is the median of the rounds' own ratios; CPU is workerd's`,
  ].join("\n");
}
