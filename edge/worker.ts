/** Wires the planes of the Worker together and does nothing else. */
import { sealWaiting } from "./audit/seal.ts";
import { isOverload } from "./db/errors.ts";
import { deleteExpiredIdempotencyKeys } from "./db/idempotency.ts";
import { deleteExpiredPreviews } from "./db/previews.ts";
import { deleteExpiredSendDecisions } from "./db/send-decisions.ts";
import { deliver } from "./delivery/router.ts";
import type { Env } from "./env.ts";
import { log } from "./log.ts";
import { spreadManifests } from "./manifest/publish.ts";
import { Problem } from "./problem.ts";
import { backfillWaiting } from "./profiles/backfill.ts";
import { eraseWaiting } from "./profiles/erase.ts";
import { spreadWaiting } from "./profiles/snapshot.ts";
import { wakeDueProfiles } from "./profiles/wake.ts";
import { isForOrigin } from "./stream/host.ts";

/** How long the answer to an Idempotency-Key is kept. */
const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000;
/** What the cron trigger does ends before it comes again, with fewer statements than D1 takes of one invocation. */
const MINUTE = { ms: 55_000, statements: 950 };
/** Of it, what sealing the audit takes at most. */
const SEALS = { ms: 5_000, statements: 100 };
/** Of it, what is left of erasures and of snapshots takes at most. */
const ERASURES = { ms: 5_000, statements: 60 };
const SNAPSHOTS = { ms: 5_000, statements: 40 };
/** Of it, what time alone takes at most; changed rules get the rest. */
const WAKES = { ms: 45_000, statements: 600 };
/** Decisions of e-mails that are looked at for being expired: three million a day. */
const SEND_DECISIONS = 2_000;
/** Sites that are put into KV anew, at most. */
const UNSPREAD = 5;

export default {
  async fetch(request, env, context) {
    try {
      if (isForOrigin(env, request.url)) {
        const { answerFromOrigin } = await import("./stream/stream.ts");
        return await answerFromOrigin(request, env, context);
      }
      const answered = await deliver(request, env, context);
      if (answered) return answered;
      // Loaded when first needed: the API's schemas cost start-up time that a block request shall not pay.
      const { api } = await import("./api/index.ts");
      return await api.fetch(request, env, context);
    } catch (error) {
      return answerError(request, error);
    }
  },

  async scheduled(_controller, env) {
    const started = Date.now();
    const within = ({ ms, statements }: typeof MINUTE) => ({ deadline: Date.now() + ms, statements });
    const seals = { deadline: started + SEALS.ms, statements: SEALS.statements };
    const wakes = { deadline: started + WAKES.ms, statements: WAKES.statements };
    const jobs = [
      async () => {
        const sealed = await sealWaiting(env.DB, Date.now, seals);
        if (sealed) log("info", { job: "seal", sealed });
      },
      async () => {
        const erased = await eraseWaiting(env, Date.now, within(ERASURES));
        if (erased) log("info", { job: "erase", erased });
      },
      async () => {
        const woken = await wakeDueProfiles(env, Date.now, wakes);
        if (woken.decided) log("info", { job: "wake", ...woken });
      },
      async () => {
        const taken = [SEALS, ERASURES, WAKES, SNAPSHOTS].reduce((sum, { statements }) => sum + statements, 0);
        const statements = MINUTE.statements - taken + seals.statements + wakes.statements;
        const backfilled = await backfillWaiting(env, Date.now, { deadline: started + MINUTE.ms, statements });
        if (backfilled.decided) log("info", { job: "backfill", ...backfilled });
      },
      async () => {
        const spread = await spreadWaiting(env, Date.now, within(SNAPSHOTS));
        if (spread) log("info", { job: "snapshots", spread });
      },
      async () => {
        const spread = await spreadManifests(env, Date.now(), UNSPREAD);
        if (spread) log("info", { job: "publish", spread });
      },
      () => deleteExpiredIdempotencyKeys(env.DB, Date.now() - IDEMPOTENCY_MS),
      () => deleteExpiredPreviews(env.DB, Date.now()),
      async () => {
        const deleted = await deleteExpiredSendDecisions(env.DB, Date.now(), SEND_DECISIONS);
        if (deleted) log("info", { job: "send-decisions", deleted });
      },
    ];
    // What keeps one of them from its work need not keep the others from theirs.
    const failures: unknown[] = [];
    for (const job of jobs) await job().catch((error) => failures.push(error));
    if (failures.length) throw failures[0];
  },
} satisfies ExportedHandler<Env>;

/** A problem as its document; anything else is ours, logged under the request's id and told to nobody. */
function answerError(request: Request, error: unknown): Response {
  const id = request.headers.get("cf-ray") ?? crypto.randomUUID();
  const origin = request.headers.get("origin");
  const headers = origin
    ? { "access-control-allow-origin": origin, "access-control-expose-headers": "retry-after", vary: "origin" }
    : {};
  // Busy is not broken: the sender keeps what it has and comes back.
  const problem = isOverload(error) ? new Problem("overloaded", undefined, { retryAfterSeconds: 2 }) : error;
  if (problem instanceof Problem) {
    if (problem.status >= 500) log("warn", { id, problem: problem.slug });
    return problem.toResponse(id, headers);
  }
  log("error", { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  return new Problem("internal", `report the request id ${id}`).toResponse(id, headers);
}
