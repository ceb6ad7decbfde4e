/** Two pages for people: the API reference (Swagger UI from our own files) and the list of problems. */
import type { Context } from "hono";
import { PROBLEMS } from "../problem.ts";
import type { ApiEnv } from "./app.ts";

/** Swagger UI writes inline styles and data: images; nothing comes from, or goes to, anywhere else. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self' 'sha256-%HASH%'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

const START =
  'SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#docs", deepLinking: true, docExpansion: "list", defaultModelsExpandDepth: 0, validatorUrl: null });';

export async function docsPage(c: Context<ApiEnv>): Promise<Response> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(START));
  const policy = DOCS_POLICY.replace("%HASH%", new Uint8Array(digest).toBase64());
  return c.html(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Attune API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="docs"></div>
<noscript>The same as JSON: <a href="/api/openapi.json">/api/openapi.json</a></noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>${START}</script>
</html>
`,
    200,
    { "content-security-policy": policy, "cache-control": "public, max-age=300" },
  );
}

/** What each problem means to whoever meets it: beside its title, one sentence. */
const MEANINGS: { [slug in keyof typeof PROBLEMS]: string } = {
  "invalid-json": "The bytes that came are no UTF-8 or no JSON; nothing of the request was done.",
  "invalid-request": "errors lists what does not fit, each with a JSON Pointer into the body; nothing was done.",
  "invalid-event": "This event was not stored; the others of its batch were.",
  unauthorized:
    "Send the write key (public plane) or Authorization: Bearer with a secret key (API). Revoked keys are unknown.",
  "forbidden-origin": "Add the page's origin to the site's origins to call from a browser.",
  forbidden: "The key is valid, but this belongs to another kind of key.",
  "consent-withheld": "The person has refused the purpose that this event needs; it was not stored.",
  "not-found": "The address is wrong, or the object does not exist, or it belongs to another site.",
  "method-not-allowed": "The Allow header names the methods that this address has.",
  erased: "What is not newer than the erasure is not stored, whoever sends it again; drop it. What is newer is taken.",
  conflict: "detail names what stands in the way: a key in use, a segment that is looked at, a request under way.",
  "version-mismatch":
    "Read the object again, apply the change to what is there now, and send its new ETag in If-Match.",
  "event-too-large": "This event was not stored; the others of its batch were.",
  "batch-too-large": "Split the body; nothing of it was done.",
  "upload-too-large":
    "Split the list into several, each with its header, and send them one after another; nothing was done.",
  "invalid-condition": "errors lists what is wrong in the rule, each with a JSON Pointer; nothing was saved.",
  "invalid-template": "errors lists what is wrong in the template, with line and column; nothing was saved.",
  "past-too-long":
    "Removing a link folds anew all that the people concerned ever sent, up to 200,000 events; what is missing of a profile is said of up to 50,000. Erase who is no person, such as a test device.",
  "idempotency-mismatch": "Use a new Idempotency-Key for a new request; the first one's answer is kept 24 hours.",
  "too-many-requests": "Wait as long as Retry-After says, then send the same again.",
  internal:
    "The request id in instance finds it in the log. Events, and what carries an Idempotency-Key, can be sent again safely.",
  overloaded: "Keep what you have and send the same again after Retry-After; nothing is lost by it.",
};

export function problemsPage(c: Context<ApiEnv>): Response | Promise<Response> {
  const rows = Object.entries(PROBLEMS).map(
    ([slug, [status, title]]) =>
      `<section id="${slug}"><h2><code>${slug}</code> <small>${status}</small></h2><p><b>${title}.</b> ${MEANINGS[slug as keyof typeof PROBLEMS]}</p></section>`,
  );
  return c.html(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Problems – Attune</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}h2{font-size:1rem;margin:1.5rem 0 0}p{margin:.25rem 0}:target{background:#fff3bf;outline:.5rem solid #fff3bf}</style>
<h1>Problems</h1>
<p>Whatever goes wrong is answered as <code>application/problem+json</code> (RFC 9457): its <code>type</code> is one of these.</p>
${rows.join("\n")}
</html>
`,
    200,
    { "content-security-policy": PAGE_POLICY, "cache-control": "public, max-age=300" },
  );
}
