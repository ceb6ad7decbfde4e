/** Sends one batch over HTTP until the Worker has answered for it, and counts what the answer says. */
import { setTimeout as wait } from "node:timers/promises";
import type { IngestAnswer, ProblemDocument } from "../../shared/wire.ts";
import type { Batch } from "./batches.ts";
import type { Tally } from "./checkpoint.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** Without any answer for so long, the replay saves and gives up: a restart or a deploy takes seconds. */
const PATIENCE_MS = 120_000;
const REQUEST_TIMEOUT_MS = 30_000;

export interface Target {
  url: string;
  key: string;
}

/** The Worker cannot be reached, or refuses the key: nothing that sending again would change. */
export class Stopped extends Error {}

type Answer = { ok: IngestAnswer } | { refused: ProblemDocument };

/** Resolves once every event of the batch is accepted or refused for good. @throws Stopped */
export async function sendBatch(
  target: Target,
  batch: Batch,
  signal: AbortSignal,
  onRetry: (why: string) => void,
): Promise<Answer> {
  const startedAt = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const outcome = await attempt(target, batch, signal);
    if (!("again" in outcome)) return outcome;
    signal.throwIfAborted();
    if (performance.now() - startedAt > PATIENCE_MS) throw new Stopped(`no answer for two minutes (${outcome.again})`);
    onRetry(outcome.again);
    // Half of the pause is random, so that the lanes do not all come back at the same moment.
    await wait(outcome.afterMs ?? pauseMs * (0.5 + Math.random() / 2), undefined, { signal });
  }
}

async function attempt(
  { url, key }: Target,
  batch: Batch,
  signal: AbortSignal,
): Promise<Answer | { again: string; afterMs?: number }> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL("/v1/batch", url), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}`,
      },
      // Without sentAt the times count as they were recorded: with it, each would move by what its request took.
      body: `{"source":"import","batch":[${batch.messages.join(",")}]}`,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    text = await response.text();
  } catch (error) {
    return { again: reasonOf(error) };
  }
  if (response.status === 429 || response.status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
    const afterMs = Number.isFinite(seconds) ? Math.min(seconds * 1_000, LONGEST_PAUSE_MS) : undefined;
    return { again: `HTTP ${response.status}`, ...(afterMs !== undefined && { afterMs }) };
  }
  const body = parse(text);
  if (response.ok && isIngestAnswer(body)) return { ok: body };
  const problem = { title: `HTTP ${response.status}`, status: response.status, ...(body as object) } as ProblemDocument;
  if (response.ok) throw new Stopped(`${url} does not answer like Attune: ${text.slice(0, 100)}`);
  if (response.status === 401 || response.status === 403 || response.status === 404) {
    throw new Stopped(`the Worker refuses: ${problem.detail ?? problem.title} (HTTP ${response.status})`);
  }
  return { refused: problem };
}

/** Adds an answer to the tally. Returns how many events it was about. */
export function count(tally: Tally, batch: Batch, answer: Answer): void {
  tally.sent += batch.messages.length;
  if ("refused" in answer) {
    add(tally, answer.refused, batch.messages.length);
    return;
  }
  tally.accepted += answer.ok.accepted;
  for (const { problem } of answer.ok.rejected) add(tally, problem, 1);
}

function add(tally: Tally, problem: ProblemDocument, events: number): void {
  const type = problem.type?.replace(/^.*#/, "") || problem.title;
  const pointer = problem.errors?.[0]?.pointer;
  const detail = problem.errors?.[0]?.detail ?? problem.detail ?? problem.title;
  tally.rejected[type] ??= { count: 0, example: pointer ? `${pointer}: ${detail}` : detail };
  tally.rejected[type].count += events;
}

function isIngestAnswer(value: unknown): value is IngestAnswer {
  const answer = value as Partial<IngestAnswer> | null;
  return typeof answer === "object" && typeof answer?.accepted === "number" && Array.isArray(answer.rejected);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: string }).code;
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}
