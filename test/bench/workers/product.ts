/** The product as it is shipped; behind /bench the same, with its use of D1 counted. */
import worker from "../../../edge/worker.ts";
import { countDatabase, type Usage } from "./count.ts";

interface Env {
  DB: object;
}
type Handler = (request: Request, env: Env, context: unknown) => Promise<Response>;

const handle = worker.fetch as unknown as Handler;

export default {
  async fetch(request: Request, env: Env, context: unknown): Promise<Response> {
    const usage: Usage = { calls: [], rowsRead: 0, rowsWritten: 0 };
    const startedAt = Date.now();
    const response = await handle(request, { ...env, DB: countDatabase(env.DB, usage) }, context);
    const counted = new Response(response.body, response);
    counted.headers.set("x-bench", JSON.stringify({ ...usage, ms: Date.now() - startedAt }));
    return counted;
  },
};
