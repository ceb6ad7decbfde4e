/** POST /v1/decide against a bare itty-router handler that answers a constant of the same size. */
import { type Contestant, type Measured, measure, ratioOf } from "../rounds.ts";
import { buildBatch } from "../site.ts";
import { type Case, JSON_HEADERS, type Setting } from "./case.ts";

interface Answer {
  token: string | null;
  slots: { [slot: string]: { html: string | null; decision: { reason: string; variant: string | null } } };
}

const PERSON = "decide-person";

export const decide: Case = {
  name: "decide",
  needsWorkerd: true,
  async run(setting) {
    const { bench, site, pace } = setting;
    await post(`${bench.product}/v1/batch`, buildBatch(site.writeKey, PERSON).replaceAll("#", "0"));
    const question = {
      writeKey: site.writeKey,
      anonymousId: PERSON,
      context: { page: { path: "/" } },
      slots: ["hero"],
    };
    const first = await ask(setting, question);
    if (!first.token) throw new Error(`/v1/decide gave no token: ${JSON.stringify(first).slice(0, 500)}`);
    const withToken = { ...question, token: first.token };
    const answer = await ask(setting, withToken);
    const { decision } = answer.slots["hero"]!;
    if (decision.variant !== "shoes") throw new Error(`the slot got ${JSON.stringify(decision)}`);
    const constant = JSON.stringify(answer);
    await fetch(`${bench.bare}/constant`, { method: "PUT", body: constant });

    const body = JSON.stringify(withToken);
    const contestant = (name: string, url: string, path: string, text = body): Contestant => ({
      name,
      url,
      request: { method: "POST", path, headers: JSON_HEADERS, body: text },
      units: 1,
    });
    const event = {
      type: "track",
      event: "Product Viewed",
      messageId: "decide-##########",
      properties: { category: "bags" },
    };
    const results = await measure(
      bench,
      [
        contestant("bare itty, constant", bench.bare, "/constant"),
        contestant("bare itty, parses the request, constant", bench.bare, "/parsed"),
        contestant("decide, token", bench.product, "/v1/decide"),
        contestant("decide, no token (reads D1)", bench.product, "/v1/decide", JSON.stringify(question)),
        contestant(
          "decide, one event (writes D1)",
          bench.product,
          "/v1/decide",
          JSON.stringify({ ...withToken, events: [event] }),
        ),
      ],
      pace,
    );
    const [bare, , token] = results as [Measured, Measured, Measured];
    const calls = await countCalls(setting, withToken);
    return {
      title: "POST /v1/decide, one slot without personal values, requests/s",
      columns: ["", "per second", "× bare", "p50 ms", "p99 ms", "CPU µs"],
      rows: results.map((result) => [
        result.name,
        result.perSecond,
        ratioOf(result, bare),
        result.p50,
        result.p99,
        result.cpuMicros ?? Number.NaN,
      ]),
      notes: [
        `request ${body.length} bytes, of which token ${first.token.length}; answer ${constant.length} bytes`,
        `D1 round trips with the token: ${calls}`,
      ],
      goals: [{ name: "decide with a token", value: ratioOf(token, bare), unit: "× bare itty", floor: 0.5, aim: 0.8 }],
    };
  },
};

async function ask({ bench }: Setting, question: object): Promise<Answer> {
  return (await post(`${bench.product}/v1/decide`, JSON.stringify(question))).json() as Promise<Answer>;
}

async function countCalls({ bench }: Setting, question: object): Promise<number> {
  // The second: the first of an isolate also reads the site.
  await post(`${bench.counted}/v1/decide`, JSON.stringify(question));
  const response = await post(`${bench.counted}/v1/decide`, JSON.stringify(question));
  return JSON.parse(response.headers.get("x-bench")!).calls.length;
}

async function post(url: string, body: string): Promise<Response> {
  const response = await fetch(url, { method: "POST", headers: JSON_HEADERS, body });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response;
}
