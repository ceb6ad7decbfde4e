/** The one place where what was thrown becomes `application/problem+json`. An exception's own text never leaves. */
import type { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { isOverload } from "../db/errors.ts";
import { log } from "../log.ts";
import { Problem } from "../problem.ts";
import type { ApiContext, ApiEnv } from "./app.ts";

export function toErrorResponse(error: unknown, c: ApiContext): Response {
  const requestId = c.get("requestId");
  const problem = toProblem(error);
  if (problem.status >= 500) {
    log("error", { id: requestId, method: c.req.method, route: routeOf(c), error: stackOf(error) });
  }
  const headers = problem.slug === "unauthorized" ? { "www-authenticate": "Bearer" } : {};
  return problem.toResponse(requestId, headers);
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException && error.status < 500) {
    // What is not JSON was refused before: this is a body that did not come.
    const detail = "A JSON body is needed.";
    return new Problem("invalid-request", detail, { errors: [{ pointer: "", code: "missing", detail }] });
  }
  if (isOverload(error)) return new Problem("overloaded", undefined, { retryAfterSeconds: 2 });
  return new Problem("internal");
}

/** The pattern, not the path: a path may name a person. */
function routeOf(c: ApiContext): string {
  return c.req.routePath;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.name) : "not an Error";
}

/** 405 with `Allow` where the path exists for other methods, else 404. */
export function toNotFound(app: Hono<ApiEnv>, c: ApiContext): Response {
  const methods = new Set<string>();
  for (const { path, method } of app.routes) {
    if (method !== "ALL" && toPattern(path).test(c.req.path)) methods.add(method);
  }
  const requestId = c.get("requestId");
  if (methods.size === 0) return new Problem("not-found").toResponse(requestId);
  return new Problem("method-not-allowed").toResponse(requestId, { allow: [...methods].join(", ") });
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\/:[^/]+/g, "/[^/]+")}$`);
}
