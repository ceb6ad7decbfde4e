/** The developer API: wires its parts under /api. Loaded when first asked for, so that no visitor waits for its schemas. */
import type { Hono } from "hono";
import type { Env } from "../env.ts";
import { type ApiContext, type ApiEnv, newApp } from "./app.ts";
import { audit } from "./audit.ts";
import { backfill } from "./backfill.ts";
import { blockPreview } from "./block-preview.ts";
import { blocks } from "./blocks.ts";
import { conflicts, profileConflicts } from "./conflicts.ts";
import { decide } from "./decide.ts";
import { profileDelivery } from "./delivery.ts";
import { docsPage, problemsPage } from "./docs.ts";
import { email } from "./email.ts";
import { profileErasure } from "./erase.ts";
import { toErrorResponse, toNotFound } from "./errors.ts";
import { keys } from "./keys.ts";
import { profileLinks } from "./links.ts";
import { segmentLint } from "./lint.ts";
import { merges } from "./merge.ts";
import { auth } from "./middleware/auth.ts";
import { body } from "./middleware/body.ts";
import { idempotency } from "./middleware/idempotency.ts";
import { requestId } from "./middleware/request-id.ts";
import { buildDocument } from "./openapi.ts";
import { segmentPreview } from "./preview.ts";
import { previewLinks } from "./preview-links.ts";
import { profiles } from "./profiles.ts";
import { segmentEstimate } from "./segment-estimate.ts";
import { segmentImport } from "./segment-import.ts";
import { segmentSize } from "./segment-size.ts";
import { segmentUpload } from "./segment-upload.ts";
import { segmentWarnings } from "./segment-warnings.ts";
import { segments } from "./segments.ts";
import { profileSends } from "./sends.ts";
import { sites } from "./sites.ts";
import { slots } from "./slots.ts";
import { profileTraits, traits } from "./traits.ts";

const app = newApp();
app.use(requestId);
app.onError((error, c) => toErrorResponse(error, c as ApiContext));
app.notFound((c) => toNotFound(app as unknown as Hono<ApiEnv>, c as ApiContext));
app.get("/api/openapi.json", (c) => c.json(buildDocument(app)));
app.get("/api/docs", docsPage);
app.get("/docs", (c) => c.redirect("/api/docs"));
app.get("/problems", problemsPage);
app.use("/api/*", auth, body, idempotency);

const routes = app
  .route("/api/sites", sites)
  .route("/api/keys", keys)
  .route("/api/segments/preview", segmentPreview)
  .route("/api/segments/lint", segmentLint)
  .route("/api/segments/estimate", segmentEstimate)
  .route("/api/segments/import", segmentImport)
  .route("/api/segments/warnings", segmentWarnings)
  .route("/api/segments", segments)
  .route("/api/segments", segmentSize)
  .route("/api/segments", segmentUpload)
  .route("/api/blocks/preview", blockPreview)
  .route("/api/blocks/preview/links", previewLinks)
  .route("/api/blocks", blocks)
  .route("/api/slots", slots)
  .route("/api/decide", decide)
  .route("/api/backfill", backfill)
  .route("/api/audit", audit)
  .route("/api/profiles", profiles)
  .route("/api/profiles", profileDelivery)
  .route("/api/profiles", profileTraits)
  .route("/api/traits", traits)
  .route("/api/profiles", profileLinks)
  .route("/api/profiles", profileConflicts)
  .route("/api/profiles", profileSends)
  .route("/api/profiles", profileErasure)
  .route("/api/conflicts", conflicts)
  .route("/api/links", merges)
  .route("/api/email", email);

/** For `hc<Api>` of hono/client: every route with its types. */
export type Api = typeof routes;

export const api = {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    return app.fetch(request, env, context);
  },
};
