/** POST /v1/decide for one slot, by the weight of its template, against bare itty-router handlers: of a constant, and of liquidjs called directly. */
import { createRenderSite, seedVisitors } from "../render/site.ts";
import { TEMPLATES, type TemplateName, TITLES } from "../render/templates.ts";
import { type Contestant, type Measured, measure, ratioOf } from "../rounds.ts";
import { type Case, countCalls, JSON_HEADERS, post, type Setting, toTurn } from "./case.ts";

const FULL = { rounds: 7, roundMs: 1_000, warmMs: 1_500 };
const QUICK = { rounds: 3, roundMs: 500, warmMs: 500 };
const VISITORS = 200;

interface Answer {
  token: string | null;
  slots: { [slot: string]: { html: string | null } };
}
type Question = ReturnType<typeof buildQuestion> & { token: string };

export const renderDecide: Case = {
  name: "render-decide",
  needsWorkerd: true,

  async run({ bench, quick }) {
    const pace = quick ? QUICK : FULL;
    const setting: Setting = { bench, pace, quick, site: await createRenderSite(bench.product) };
    const names = Object.keys(TEMPLATES) as TemplateName[];
    const visitors = await prepareVisitors(setting);

    const results: { [name: string]: Measured[] } = {};
    const notes: string[] = [];
    for (const name of names) {
      const questions = visitors.map((visitor) => ({ ...visitor, slots: [name] }));
      const answer = await ask(bench.product, questions[0]!);
      const constant = JSON.stringify(answer);
      await fetch(`${bench.bare}/constant`, { method: "PUT", body: constant });
      const contestant = (name: string, url: string, path: string): Contestant => ({
        name,
        url,
        request: { method: "POST", path, headers: JSON_HEADERS, turns: questions.map(toTurn) },
        units: 1,
      });
      results[name] = await measure(
        bench,
        [
          contestant("bare itty, a constant", bench.bare, "/constant"),
          contestant("bare itty, liquidjs renders it", bench.renderer, `/${name}/liquidjs-sync`),
          contestant("decide, with a token", bench.product, "/v1/decide"),
        ],
        pace,
      );
      notes.push(
        `${TITLES[name]}: HTML of ${answer.slots[name]!.html?.length} characters, answer ${constant.length} bytes, D1 round trips ${await countCalls(setting, questions[0]!)}`,
      );
    }

    const { shared, context, trait } = results as { [Name in TemplateName]: [Measured, Measured, Measured] };
    const microsOf = ([, , ours]: Measured[]) => ours!.cpuMicros ?? Number.NaN;
    return {
      title: "POST /v1/decide by its template, one slot, requests/s",
      columns: ["", "per second", "× bare", "p50 ms", "p99 ms", "CPU µs", "× bare by CPU"],
      rows: names.flatMap((name) =>
        results[name]!.map((result, _, [bare]) => [
          `${TITLES[name]}: ${result.name}`,
          result.perSecond,
          ratioOf(result, bare!),
          result.p50,
          result.p99,
          result.cpuMicros ?? Number.NaN,
          (bare!.cpuMicros ?? Number.NaN) / (result.cpuMicros ?? Number.NaN),
        ]),
      ),
      notes: [
        ...notes,
        `of one trait's CPU µs, ${Math.round((1 - microsOf(context) / microsOf(trait)) * 100)} % are the reading of D1: a token tells as large a template of segments and the page all that it needs`,
        `${pace.rounds} rounds of ${pace.roundMs / 1_000} s a template, ${VISITORS} visitors in turn`,
      ],
      goals: [
        {
          name: "decide of what everybody gets",
          value: ratioOf(shared[2], shared[0]),
          unit: "× bare itty",
          floor: 0.6,
        },
      ],
    };
  },

  async profiled({ bench, ...setting }) {
    const site = await createRenderSite(bench.product);
    const turns = (await prepareVisitors({ ...setting, bench, site })).map(toTurn);
    return {
      name: "decide of what everybody gets",
      url: bench.product,
      request: { method: "POST", path: "/v1/decide", headers: JSON_HEADERS, turns },
      units: 1,
    };
  },
};

/** Visitors with a fresh token each. */
async function prepareVisitors({ bench, site }: Setting): Promise<Question[]> {
  const visitors: Question[] = [];
  for (const anonymousId of await seedVisitors(bench.product, site, VISITORS)) {
    const question = buildQuestion(site.writeKey, anonymousId);
    const { token } = await ask(bench.product, question);
    if (!token) throw new Error(`${anonymousId} got no token`);
    visitors.push({ ...question, token });
  }
  return visitors;
}

function buildQuestion(writeKey: string, anonymousId: string) {
  return {
    writeKey,
    anonymousId,
    context: { page: { path: "/", title: "Boots & more" }, locale: "en-GB" },
    slots: ["shared"],
  };
}

async function ask(url: string, question: { slots: string[] }): Promise<Answer> {
  const answer = (await (await post(`${url}/v1/decide`, JSON.stringify(question))).json()) as Answer;
  const [slot] = question.slots as [string];
  if (!answer.slots[slot]?.html?.includes("<section")) throw new Error(`${slot} got ${JSON.stringify(answer)}`);
  return answer;
}
