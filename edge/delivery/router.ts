/**
 * The public plane. Routes stand twice: under /v1 by their documented names, and under /a for the browser script,
 * because content blockers know /v1/track and its like by name.
 */
import { type IRequest, Router } from "itty-router";
import { EVENT_TYPES } from "../../shared/event.ts";
import type { Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { answerBatch, answerSingle } from "./batch.ts";
import { answerConsent } from "./consent.ts";
import { answerPreflight } from "./cors.ts";
import { answerDecide } from "./decide.ts";
import { answerManifest } from "./manifest.ts";

const NAMES = {
  "/a": new Set<string>(["decide", "batch", "consent", "manifest"]),
  "/v1": new Set<string>(["decide", "batch", "consent", "manifest", "import", ...EVENT_TYPES]),
};

const router = Router<IRequest, [Env, ExecutionContext]>();

// Routes are tried in their order: what every page view asks comes first.
for (const plane of ["/a", "/v1"]) router.post(`${plane}/decide`, answerDecide);
for (const plane of ["/a", "/v1"]) {
  router.post(`${plane}/batch`, answerBatch);
  router.post(`${plane}/consent`, answerConsent);
  router.get(`${plane}/manifest/:key`, (request, env, context) =>
    answerManifest(request, env, context, request.params["key"]!),
  );
}
// Whatever is asked for there and however: an error would be put into an e-mail.
router.all("/e/*", async (request, env, context) => {
  const { answerEmail } = await import("../email/answer.ts");
  return answerEmail(request, env, context);
});
for (const type of EVENT_TYPES)
  router.post(`/v1/${type}`, (request, env, context) => answerSingle(request, env, context, type));
// Segment's clients send imports to their own route; what is in them is a batch.
router.post("/v1/import", answerBatch);
router.get("/healthz", async (_request, env) => {
  await env.DB.prepare("SELECT 1").first();
  return Response.json({ ok: true }, { headers: { "cache-control": "no-store" } });
});
for (const method of ["get", "head"] as const)
  router[method]("/preview/:token", async ({ url, params }, env) => {
    const { answerPreview } = await import("../preview/page.ts");
    return answerPreview(env, url, params["token"]!);
  });
for (const plane of ["/a", "/v1"] as const) {
  router.options(`${plane}/*`, answerPreflight);
  router.all(`${plane}/:name/:rest?`, ({ method, params }) => {
    const name = params["name"]!;
    const known = NAMES[plane].has(name);
    throw new Problem(
      known ? "method-not-allowed" : "not-found",
      known ? `${plane}/${name} takes no ${method}` : `there is no ${plane}/${name}`,
    );
  });
}

/** Answers requests of the public plane; undefined for those of another. */
export function deliver(request: Request, env: Env, context: ExecutionContext): Promise<Response | undefined> {
  return router.fetch(request, env, context);
}
