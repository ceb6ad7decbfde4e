/** The product as it is shipped, with its use of D1 counted: in the header `x-bench` of each answer. */
import worker from "../../../edge/worker.ts";
import { countDatabase, type Usage } from "./count.ts";

interface Env {
  DB: object;
}

const fetchOf = worker.fetch as unknown as (request: Request, env: Env, context: unknown) => Promise<Response>;
const scheduledOf = worker.scheduled as unknown as (controller: unknown, env: Env, context: unknown) => Promise<void>;

export default {
  async fetch(request: Request, env: Env, context: unknown): Promise<Response> {
    const usage: Usage = { calls: [], rowsRead: 0, rowsWritten: 0 };
    const counted = { ...env, DB: countDatabase(env.DB, usage) };
    const startedAt = Date.now();
    // In place of the cron trigger, which answers nobody: its use is the body, being too long for a header.
    if (new URL(request.url).pathname === "/bench/minute") {
      await scheduledOf({}, counted, context);
      return Response.json({ ...usage, ms: Date.now() - startedAt });
    }
    const response = await fetchOf(request, counted, context);
    const answer = new Response(response.body, response);
    answer.headers.set("x-bench", JSON.stringify({ ...usage, ms: Date.now() - startedAt }));
    return answer;
  },
};
