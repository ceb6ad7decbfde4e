/** Reads requests of the public plane: bodies within limits, whatever their content type, and the key they come with. */
import type { JsonObject } from "../../shared/event.ts";
import { BATCH_BYTES } from "../../shared/limits.ts";
import { isObject } from "../ingest/parse.ts";
import { Problem } from "../problem.ts";

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * The body as a JSON object.
 *
 * @throws Problem `batch-too-large`, `invalid-json` (not UTF-8, not JSON) or `invalid-request` (not an object)
 */
export async function readJsonBody(request: Request): Promise<JsonObject> {
  const text = await readText(request);
  let value: unknown;
  try {
    value = HUGE.test(text) ? JSON.parse(text, toStorable) : JSON.parse(text);
  } catch (error) {
    throw new Problem("invalid-json", error instanceof Error ? error.message : undefined);
  }
  if (!isObject(value)) throw new Problem("invalid-request", "the body must be a JSON object");
  return value;
}

/** A number that may be larger than any that is stored. */
const HUGE = /\d[eE]\+?\d{3}|\d{309}/;

/** Storage makes null of an infinite number: so do rules see it at once. */
function toStorable(_key: string, value: unknown): unknown {
  return value === Infinity || value === -Infinity ? null : value;
}

async function readText(request: Request): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > BATCH_BYTES) throw tooLarge(declared);
  const gzip = request.headers.get("content-encoding") === "gzip";
  if (!gzip && declared >= 0) {
    // Much cheaper than decoding bytes here. What is no UTF-8 comes as U+FFFD, of another length than it had.
    const text = await request.text();
    if (text.includes("\ufffd") && encoder.encode(text).length !== declared) throw notUtf8();
    return text;
  }
  try {
    return utf8.decode(await readBytes(request, gzip));
  } catch (error) {
    throw error instanceof Problem ? error : notUtf8();
  }
}

async function readBytes(request: Request, gzip: boolean): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body = gzip ? request.body?.pipeThrough(new DecompressionStream("gzip")) : request.body;
  try {
    for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > BATCH_BYTES) throw tooLarge(size);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem("invalid-json", "the body is not what its encoding says");
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function notUtf8(): Problem {
  return new Problem("invalid-json", "the body is not UTF-8");
}

function tooLarge(bytes: number): Problem {
  return new Problem("batch-too-large", `the body has ${bytes} bytes or more, ${BATCH_BYTES} are allowed`);
}

/** The write key: the user of Basic authorization, as Segment's clients send it, or `writeKey` in the body. */
export function readWriteKey(request: Request, body: JsonObject): string | null {
  const header = request.headers.get("authorization");
  if (header?.startsWith("Basic ")) {
    try {
      return atob(header.slice(6)).split(":")[0] || null;
    } catch {
      return null;
    }
  }
  const key = Object.hasOwn(body, "writeKey") ? body["writeKey"] : null;
  return typeof key === "string" ? key : null;
}
