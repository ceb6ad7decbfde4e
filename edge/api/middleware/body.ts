/** Reads the body of an unsafe request once: bounded, UTF-8, JSON whatever the content type says, unless that is CSV. */
import { createMiddleware } from "hono/factory";
import { BATCH_BYTES, UPLOAD_BYTES } from "../../../shared/limits.ts";
import { Problem } from "../../problem.ts";
import type { ApiEnv } from "../app.ts";

export const body = createMiddleware<ApiEnv>(async (c, next) => {
  const { method } = c.req;
  if (method !== "GET" && method !== "HEAD") {
    const headers = new Headers(c.req.raw.headers);
    const content = isCsv(headers) ? await readCsvBytes(c.req.raw) : await readJsonText(c.req.raw);
    if (typeof content === "string") headers.set("content-type", "application/json");
    c.req.raw = new Request(c.req.raw.url, { method, headers, body: content.length ? content : null });
  }
  await next();
});

/** A list to be uploaded: what is wrong in it is told row by row, by who takes it. */
export function isCsv(headers: Headers): boolean {
  return /^text\/csv\b/i.test(headers.get("content-type") ?? "");
}

async function readCsvBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(request, UPLOAD_BYTES);
  if (!bytes) throw new Problem("upload-too-large", "Split the list: it is larger than 1 MB.");
  return bytes;
}

async function readJsonText(request: Request): Promise<string> {
  const bytes = await readBytes(request, BATCH_BYTES);
  if (!bytes) throw new Problem("batch-too-large");
  const text = readText(bytes);
  if (text !== "") checkJson(text);
  return text;
}

/** Null where there are more than `limit`. */
async function readBytes(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > limit) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function readText(bytes: Uint8Array): string {
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
