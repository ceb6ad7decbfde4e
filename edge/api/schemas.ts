/** Schemas that several parts of the API share. */
import * as z from "zod";
import { NAME_LENGTH } from "../../shared/limits.ts";
import { Problem } from "../problem.ts";

export const KeySchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "A key has 1 to 64 of a-z 0-9 _ -, and begins with a letter or digit.")
  .openapi({ example: "cart-abandoner" });

export const NameSchema = z.string().trim().min(1).max(NAME_LENGTH);

const EARLIEST = Date.UTC(1900, 0);
const LATEST = Date.UTC(2200, 0);

const NO_TIME = "A time is ISO 8601 with its zone, such as 2026-03-01T12:00:00Z, or epoch milliseconds.";

/** ISO 8601, or epoch milliseconds; becomes epoch milliseconds. */
export const TimeSchema = z
  .union(
    [z.int(), z.string().regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/, NO_TIME)],
    NO_TIME,
  )
  .transform((value) => (typeof value === "number" ? value : Date.parse(value)))
  .refine((at) => at >= EARLIEST && at <= LATEST, "A time lies between 1900 and 2200.")
  .openapi({ type: "string", format: "date-time", description: "ISO 8601; epoch milliseconds are accepted." });

/** A moment in a query is text, numbers included. */
export const QueryTimeSchema = z
  .preprocess((text) => (/^-?\d+$/.test(String(text)) ? Number(text) : text), TimeSchema)
  .openapi({ type: "string", format: "date-time" });

/** As the API answers times. */
export const IsoSchema = z.string().openapi({ format: "date-time", example: "2026-03-01T12:00:00.000Z" });

export function toIso(at: number): string {
  return new Date(at).toISOString();
}

export function toIsoOrNull(at: number | null): string | null {
  return at === null ? null : toIso(at);
}

/** A cursor may hold a name of 256 characters, of any script. */
const CURSOR_CHARACTERS = 2_000;

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(CURSOR_CHARACTERS).optional().openapi({ description: "`next` of the page before." }),
});

/** A page of a list; `next` is null on the last one. */
export function pageOf<T extends z.ZodType>(item: T, name: string) {
  return z.object({ data: z.array(item), next: z.string().nullable() }).openapi(name);
}

/** Cuts one more than was asked for into a page and the place where the next begins. */
export function toPage<T>(rows: T[], limit: number, placeOf: (row: T) => unknown): { data: T[]; next: string | null } {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, next: rows.length > limit && last !== undefined ? toCursor(placeOf(last)) : null };
}

export function toCursor(place: unknown): string {
  return new TextEncoder().encode(JSON.stringify(place)).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** The place that a cursor names. @throws Problem for what is no cursor of this list. */
export function readCursor<T>(cursor: string | undefined, schema: z.ZodType<T>, first: T): T {
  if (cursor === undefined) return first;
  try {
    const bytes = Uint8Array.fromBase64(cursor, { alphabet: "base64url" });
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes)));
  } catch {
    throw new Problem("invalid-request", "The cursor is not one that this list gave.");
  }
}

/** What is wrong in one place of a body. */
export const ErrorSchema = z.object({ pointer: z.string(), code: z.string(), detail: z.string() });

const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    instance: z.string().optional().openapi({ description: "The request's id." }),
    errors: z.array(ErrorSchema).optional(),
  })
  .openapi("Problem", {
    example: {
      type: "/problems#invalid-request",
      title: "The request does not fit its schema",
      status: 400,
      detail: "This email identifies nobody: it is malformed.",
      instance: "5f2c…",
      errors: [{ pointer: "/b/value", code: "malformed", detail: "This email identifies nobody: it is malformed." }],
    },
  });

/** The answer to everything that goes wrong: each route names this once. */
export const problemResponse = {
  default: {
    description: "A problem (RFC 9457). The slugs are listed at /problems.",
    content: { "application/problem+json": { schema: ProblemSchema } },
  },
} as const;

export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } };
}

export function jsonBody<T extends z.ZodType>(schema: T) {
  return { body: { required: true as const, content: { "application/json": { schema } } } };
}
