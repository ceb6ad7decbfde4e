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
  if (faultOf(text) === null) return;
  // The engine's message quotes the body, which may be personal: only the place is told.
  const before = text.slice(0, findFault(text)).split("\n");
  throw new Problem(
    "invalid-json",
    `The body is not JSON: line ${before.length}, column ${before.at(-1)!.length + 1}.`,
  );
}

/** What the engine says of a text that is not JSON. */
function faultOf(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Where the fault is: the length of the longest beginning that could still become JSON. The engine does not always say. */
function findFault(text: string): number {
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isOpen(text.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function isOpen(text: string): boolean {
  const fault = faultOf(text);
  if (fault === null || /end of|unterminated/i.test(fault)) return true;
  const position = /position (\d+)/.exec(fault)?.[1];
  return position !== undefined && Number(position) >= text.length;
}
