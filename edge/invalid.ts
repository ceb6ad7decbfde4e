/** A request that does not fit its schema, as a problem with JSON Pointers. */
import type * as z from "zod";
import { Problem } from "./problem.ts";

export function invalidRequest(error: z.ZodError): Problem {
  const errors = error.issues.map((issue) => ({
    pointer: pointerOf(issue.path),
    code: issue.code ?? "invalid",
    detail: issue.message,
  }));
  const detail = errors.map(({ pointer, detail }) => `${pointer || "the body"}: ${detail}`).join("; ");
  return new Problem("invalid-request", detail, { errors });
}

/** RFC 6901. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
