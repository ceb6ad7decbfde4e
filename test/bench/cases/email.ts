/** GET /e/:token/:slot, as a service asks that builds e-mails: each recipient's block, for the first time and again. */
import { createRenderSite } from "../render/site.ts";
import { buildPerson, PEOPLE } from "../render/templates.ts";
import { median, send } from "../rounds.ts";
import { type Case, JSON_HEADERS, post, type Setting } from "./case.ts";

const SLOT = "grid";
const RECIPIENTS = { quick: 200, whole: 1_000 };
const ROUNDS = { quick: 3, whole: 5 };
/** Nothing is sent for longer. */
const ROUND_MS = 60_000;
const CONNECTIONS = 16;
const P99_MS = 300;

interface Asked {
  perSecond: number;
  p50: number;
  p99: number;
  cpuMicros: number;
}

export const email: Case = {
  name: "email",
  needsWorkerd: true,
  async run({ bench, pace, quick }) {
    const setting: Setting = { bench, pace, quick, site: await createRenderSite(bench.product) };
    const recipients = quick ? RECIPIENTS.quick : RECIPIENTS.whole;
    const rounds = quick ? ROUNDS.quick : ROUNDS.whole;
    await seed(setting, recipients);

    const firsts: Asked[] = [];
    const agains: Asked[] = [];
    for (let round = 0; round < rounds; round++) {
      const tokens = await makeTokens(setting, `send-${round}`, recipients);
      firsts.push(await ask(setting, tokens));
      agains.push(await ask(setting, tokens));
      await checkLast(setting, tokens);
    }
    const of = (asked: Asked[], what: keyof Asked) => median(asked.map((one) => one[what]));
    const rows = { "for the first time": firsts, again: agains };
    return {
      title: "GET /e/:token/:slot, four products of a trait, requests/s",
      columns: ["", "per second", "p50 ms", "p99 ms", "CPU µs"],
      rows: Object.entries(rows).map(([name, asked]) => [
        name,
        of(asked, "perSecond"),
        of(asked, "p50"),
        of(asked, "p99"),
        of(asked, "cpuMicros"),
      ]),
      notes: [`${rounds} sends to ${recipients} recipients, ${CONNECTIONS} connections`],
      goals: [
        {
          name: "an e-mail's block for the first time, p99",
          value: of(firsts, "p99"),
          unit: "ms",
          floor: P99_MS,
          atMost: true,
        },
      ],
    };
  },
};

const nameOf = (number: number) => `reader-${number}`;

async function seed({ bench, site }: Setting, recipients: number): Promise<void> {
  for (let number = 0; number < recipients; number += 100) {
    const batch = Array.from({ length: Math.min(100, recipients - number) }, (_, index) => ({
      type: "identify",
      messageId: `reader-${number + index}`,
      userId: nameOf(number + index),
      traits: buildPerson((number + index) % PEOPLE).customer,
    }));
    await post(`${bench.product}/v1/batch`, JSON.stringify({ writeKey: site.writeKey, batch }));
  }
}

async function makeTokens({ bench, site }: Setting, name: string, recipients: number): Promise<string[]> {
  const response = await fetch(`${bench.product}/api/email/tokens`, {
    method: "POST",
    headers: { ...JSON_HEADERS, authorization: `Bearer ${site.secretKey}` },
    body: JSON.stringify({
      send: name,
      recipients: Array.from({ length: recipients }, (_, number) => ({ userId: nameOf(number) })),
    }),
  });
  if (!response.ok) throw new Error(`tokens: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { token: string }[]).map(({ token }) => token);
}

/** A fallback is answered sooner. */
async function checkLast({ bench }: Setting, tokens: string[]): Promise<void> {
  const html = await (await fetch(`${bench.product}/e/${tokens.at(-1)}/${SLOT}`)).text();
  if (!html.includes("Trail Runner")) throw new Error(`the last recipient got ${html}`);
}

/** Each once. */
async function ask({ bench }: Setting, tokens: string[]): Promise<Asked> {
  const cpuBefore = bench.cpuSeconds() ?? Number.NaN;
  const turns = tokens.map((token) => ({ path: `/e/${token}/${SLOT}` }));
  const result = await send(
    { name: "email", url: bench.product, request: { method: "GET", path: "", headers: {}, turns } },
    { connections: CONNECTIONS, durationMs: ROUND_MS, requests: tokens.length },
  );
  const cpuMicros = (((bench.cpuSeconds() ?? Number.NaN) - cpuBefore) * 1e6) / result.requests;
  return { ...result, cpuMicros };
}
