/** Reads the body of an unsafe request once: bounded, UTF-8, JSON whatever the content type says. */
import { createMiddleware } from "hono/factory";
import { BATCH_BYTES } from "../../../shared/limits.ts";
import { Problem } from "../../problem.ts";
import type { ApiEnv } from "../app.ts";

export const body = createMiddleware<ApiEnv>(async (c, next) => {
  const { method } = c.req;
  if (method !== "GET" && method !== "HEAD") {
    const text = await readText(c.req.raw);
    if (text !== "") checkJson(text);
    const headers = new Headers(c.req.raw.headers);
    headers.set("content-type", "application/json");
    c.req.raw = new Request(c.req.raw.url, { method, headers, body: text === "" ? null : text });
  }
  await next();
});

async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > BATCH_BYTES) throw new Problem("batch-too-large");
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > BATCH_BYTES) throw new Problem("batch-too-large");
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new Problem("invalid-json", "The body is not valid UTF-8.");
  }
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the body, which may be personal: only the place is repeated.
    const at = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
    throw new Problem("invalid-json", at ? `The body is not JSON from character ${at} on.` : "The body is not JSON.");
  }
}
