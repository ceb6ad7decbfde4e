/** Rendering alone, in one Worker: ours, liquidjs called directly, and a template literal, in µs a rendering. */
import { TEMPLATES, type TemplateName, TITLES } from "../render/templates.ts";
import { median } from "../rounds.ts";
import { type Alone, startAlone } from "../workerd.ts";
import type { Case } from "./case.ts";

const FULL = { rounds: 7, roundMs: 300, warmMs: 1_000 };
const QUICK = { rounds: 3, roundMs: 150, warmMs: 300 };
/** How long a request takes: so much longer than an empty one that this hardly counts. */
const REQUEST_MS = 50;

/** As workers/render.ts names them → as they are printed. */
const CONTESTANTS = {
  attune: "attune",
  kept: "attune, kept as everybody gets it",
  "liquidjs-sync": "liquidjs, parsed before",
  "liquidjs-async": "liquidjs, parsed before, async",
  "liquidjs-parse": "liquidjs, parses and renders",
  literal: "a template literal",
  checked: "a template literal, checks URLs",
};
type Contestant = keyof typeof CONTESTANTS;

interface Timed {
  template: TemplateName;
  contestant: Contestant;
  /** Renderings of a request. */
  times: number;
  /** µs of a rendering, of each round: of workerd's CPU, and as the clock says. */
  cpu: number[];
  wall: number[];
}

export const renderAlone: Case = {
  name: "render-alone",
  needsWorkerd: false,
  async run({ quick }) {
    const pace = quick ? QUICK : FULL;
    const worker = await startAlone("test/bench/workers/render.ts");
    try {
      const timed = await timeAll(worker, pace);
      const microsOf = ({ cpu, wall }: Timed) => (Number.isNaN(cpu[0]) ? wall : cpu);
      const timesAsLong = (one: Timed, other: Timed) =>
        median(microsOf(one).map((value, round) => value / microsOf(other)[round]!));
      const find = (template: TemplateName, contestant: Contestant) =>
        timed.find((one) => one.template === template && one.contestant === contestant)!;
      const personal = (Object.keys(TEMPLATES) as TemplateName[]).filter((name) => name !== "shared");
      return {
        title: "Rendering in a Worker, 32 people in turn",
        columns: ["", "CPU µs", "µs", "× liquidjs parsed before", "× template literal"],
        rows: timed.map((one) => [
          `${TITLES[one.template]}: ${CONTESTANTS[one.contestant]}`,
          median(one.cpu),
          median(one.wall),
          timesAsLong(one, find(one.template, "liquidjs-sync")),
          timesAsLong(one, find(one.template, "literal")),
        ]),
        notes: [
          `${pace.rounds} alternating rounds of ${pace.roundMs / 1_000} s, requests of some ${REQUEST_MS} ms less one that renders once; × is the time, by CPU`,
          `characters of the templates: ${personal.map((name) => `${TITLES[name]} ${TEMPLATES[name].source.length}`).join(", ")}`,
        ],
        goals: personal.flatMap((template) => {
          const ours = find(template, "attune");
          return [
            {
              name: `rendering (${TITLES[template]}), to liquidjs called directly`,
              value: timesAsLong(find(template, "liquidjs-sync"), ours),
              unit: "× as fast",
              floor: 3,
            },
            {
              name: `rendering (${TITLES[template]}), to a template literal`,
              value: timesAsLong(ours, find(template, "literal")),
              unit: "× the time",
              floor: 3,
              atMost: true,
            },
          ];
        }),
      };
    } finally {
      await worker.stop();
    }
  },
};

/** @throws Error when one renders other HTML than the template literal */
async function timeAll(worker: Alone, pace: typeof FULL): Promise<Timed[]> {
  const names = (await (await fetch(worker.url)).json()) as string[];
  const timed: Timed[] = [];
  for (const name of names) {
    const [template, contestant] = name.split("/") as [TemplateName, Contestant];
    await checkHtml(worker, template, contestant);
    let times = 1;
    for (const endsAt = performance.now() + pace.warmMs; performance.now() < endsAt; ) {
      const startedAt = performance.now();
      await ask(worker, name, times);
      times = Math.ceil((times * REQUEST_MS) / Math.max(1, performance.now() - startedAt));
    }
    timed.push({ template, contestant, times, cpu: [], wall: [] });
  }
  for (let round = 0; round < pace.rounds; round++) {
    for (const one of timed) {
      const name = `${one.template}/${one.contestant}`;
      const once = await time(worker, name, 1, pace.roundMs / 10);
      const often = await time(worker, name, one.times, pace.roundMs);
      one.wall.push((often.wall - once.wall) / (one.times - 1));
      one.cpu.push((often.cpu - once.cpu) / (one.times - 1));
    }
  }
  return timed;
}

/** µs that a request takes; NaN where the system does not say. */
async function time(worker: Alone, name: string, times: number, durationMs: number) {
  const cpuBefore = worker.cpuSeconds() ?? Number.NaN;
  const startedAt = performance.now();
  let requests = 0;
  for (; performance.now() < startedAt + durationMs; requests++) await ask(worker, name, times);
  const wall = ((performance.now() - startedAt) * 1e3) / requests;
  return { wall, cpu: (((worker.cpuSeconds() ?? Number.NaN) - cpuBefore) * 1e6) / requests };
}

async function checkHtml(worker: Alone, template: TemplateName, contestant: Contestant): Promise<void> {
  const htmlOf = async (by: Contestant) => normalize(await ask(worker, `${template}/${by}`, "html"));
  const [html, expected] = [await htmlOf(contestant), await htmlOf("literal")];
  if (html !== expected) throw new Error(`${contestant} renders ${template} as\n${html}\nin place of\n${expected}`);
}

/** Two ways to write a quotation mark. */
const normalize = (html: string) => html.replaceAll("&#34;", "&quot;");

async function ask(worker: Alone, name: string, what: number | "html"): Promise<string> {
  const response = await fetch(`${worker.url}/${name}/${what}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${name} answered ${response.status}: ${text}`);
  return text;
}
