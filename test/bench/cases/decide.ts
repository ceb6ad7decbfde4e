/** POST /v1/decide against a bare itty-router handler that answers a constant of the same size. */
import { type Contestant, type Measured, measure, ratioOf } from "../rounds.ts";
import { buildBatch } from "../site.ts";
import { type Case, countCalls, JSON_HEADERS, post, type Setting, toTurn } from "./case.ts";

interface Answer {
  token: string | null;
  slots: { [slot: string]: { html: string | null; decision: { reason: string; variant: string | null } } };
}

/** Visitors that take turns: one token over and over would flatter whatever remembers tokens. */
const VISITORS = 500;

export const decide: Case = {
  name: "decide",
  needsWorkerd: true,

  async run(setting) {
    const { bench, pace } = setting;
    const questions = await prepareVisitors(setting, VISITORS);
    const [first] = questions as [(typeof questions)[0]];
    const answer = await ask(setting, first);
    const constant = JSON.stringify(answer);
    await fetch(`${bench.bare}/constant`, { method: "PUT", body: constant });

    const event = {
      type: "track",
      event: "Product Viewed",
      messageId: "decide-##########",
      anonymousId: "decide-writer-@@@@",
      properties: { category: "bags" },
    };
    const contestant = (name: string, url: string, path: string, bodies: object[]): Contestant => ({
      name,
      url,
      request: { method: "POST", path, headers: JSON_HEADERS, turns: bodies.map(toTurn) },
      units: 1,
    });
    const { token: _, ...withoutToken } = first;
    const results = await measure(
      bench,
      [
        contestant("bare itty, constant", bench.bare, "/constant", questions),
        contestant("bare itty, parses the request, constant", bench.bare, "/parsed", questions),
        contestant(`decide, tokens of ${VISITORS} visitors`, bench.product, "/v1/decide", questions),
        contestant("decide, always the same token", bench.product, "/v1/decide", [first]),
        contestant("decide, no token (reads D1)", bench.product, "/v1/decide", [withoutToken]),
        {
          ...contestant("decide, one event (writes D1)", bench.product, "/v1/decide", []),
          request: {
            method: "POST",
            path: "/v1/decide",
            headers: JSON_HEADERS,
            persons: 1_000,
            body: JSON.stringify({ ...withoutToken, anonymousId: event.anonymousId, events: [event] }),
          },
        },
      ],
      pace,
    );
    const [bare, , tokens] = results as [Measured, Measured, Measured];
    return {
      title: "POST /v1/decide, one slot without personal values, requests/s",
      columns: ["", "per second", "× bare", "p50 ms", "p99 ms", "CPU µs", "× bare by CPU"],
      rows: results.map((result) => [
        result.name,
        result.perSecond,
        ratioOf(result, bare),
        result.p50,
        result.p99,
        result.cpuMicros ?? Number.NaN,
        (bare.cpuMicros ?? Number.NaN) / (result.cpuMicros ?? Number.NaN),
      ]),
      notes: [
        `request ${JSON.stringify(first).length} bytes, of which token ${first.token.length}; answer ${constant.length} bytes`,
        `D1 round trips with a token: ${await countCalls(setting, first)}`,
      ],
      goals: [{ name: "decide with a token", value: ratioOf(tokens, bare), unit: "× bare itty", floor: 0.5, aim: 0.8 }],
    };
  },

  async profiled(setting) {
    const turns = (await prepareVisitors(setting, VISITORS)).map(toTurn);
    return {
      name: "decide with a token",
      url: setting.bench.product,
      request: { method: "POST", path: "/v1/decide", headers: JSON_HEADERS, turns },
      units: 1,
    };
  },
};

/** Visitors who have viewed enough shoes for the variant, each with the token of their last page view. */
async function prepareVisitors(setting: Setting, count: number) {
  const { bench, site } = setting;
  const questions: (ReturnType<typeof buildQuestion> & { token: string })[] = [];
  for (let number = 0; number < count; number++) {
    const person = `decide-${String(number).padStart(4, "0")}`;
    await post(`${bench.product}/v1/batch`, buildBatch(site.writeKey, person).replaceAll("#", "0"));
    const question = buildQuestion(site.writeKey, person);
    const { token, slots } = await ask(setting, question);
    const { decision } = slots["hero"]!;
    if (!token || decision.variant !== "shoes") throw new Error(`the slot got ${JSON.stringify(decision)}, ${token}`);
    questions.push({ ...question, token });
  }
  return questions;
}

function buildQuestion(writeKey: string, anonymousId: string) {
  return { writeKey, anonymousId, context: { page: { path: "/", title: "Home" }, locale: "en-GB" }, slots: ["hero"] };
}

async function ask({ bench }: Setting, question: object): Promise<Answer> {
  return (await post(`${bench.product}/v1/decide`, JSON.stringify(question))).json() as Promise<Answer>;
}
