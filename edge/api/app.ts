/** What every part of the developer API is made of: its variables, its hook for what does not fit a schema, its routes. */

import { type Hook, OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Env } from "../env.ts";
import { pointerOf } from "../invalid.ts";
import { Problem, type ProblemError } from "../problem.ts";

export interface Variables {
  requestId: string;
  /** The request's one moment, epoch milliseconds. */
  now: number;
  /** The site whose secret key came; null for the administrator. */
  siteId: string | null;
  /** Who asks, as the audit names them: `key:<id>`, or `admin`. */
  actor: string;
}

export interface ApiEnv {
  Bindings: Env;
  Variables: Variables;
}

export type ApiContext = Context<ApiEnv>;

export function newApp(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({ defaultHook: refuse });
}

/** The site that the request is about. @throws Problem when an administrator asks for what belongs to one site. */
export function siteOf(c: ApiContext): string {
  const siteId = c.get("siteId");
  if (siteId === null) throw new Problem("forbidden", "This needs the secret key of a site.");
  return siteId;
}

type Issue = {
  path: PropertyKey[];
  code: string;
  message: string;
  expected?: string;
  keys?: string[];
  errors?: Issue[][];
};

const refuse: Hook<unknown, ApiEnv, string, unknown> = (result) => {
  if (result.success) return;
  const errors = (result.error.issues as unknown as Issue[]).flatMap((issue) =>
    toErrors(issue, result.target === "json"),
  );
  throw new Problem("invalid-request", errors[0]?.detail, { errors });
};

function toErrors(issue: Issue, inBody: boolean): ProblemError[] {
  const { code, path, keys, errors = [] } = issue;
  const message = path.length && isMissing(issue) ? `"${String(path.at(-1))}" is missing` : issue.message;
  // Of a union, what fits at the top is what was meant; where nothing does, what would but for names that it does not have.
  const fitting = errors.filter((branch) => branch.every((inner) => inner.path.length > 0));
  const nearly = errors.filter((branch) => branch.every((inner) => inner.path.length > 0 || inner.keys));
  const [meant, ...others] = fitting.length ? fitting : nearly;
  if (meant && !others.length)
    return meant.flatMap((inner) => toErrors({ ...inner, path: [...path, ...inner.path] }, inBody));
  if (keys) {
    return keys.map((key) => ({
      pointer: inBody ? pointerOf([...path, key]) : "",
      code,
      detail: `There is no ${key} here.`,
    }));
  }
  // Pointers point into the body; a parameter of the URL is named in words.
  return [
    inBody
      ? { pointer: pointerOf(path), code, detail: message }
      : { pointer: "", code, detail: `${path.join(".")}: ${message}` },
  ];
}

/** zod says it in prose only: the value itself is not told. */
function isMissing({ code, message, errors = [] }: Issue): boolean {
  if (code === "invalid_union") return errors.length > 0 && errors.flat().every(isMissing);
  return code === "invalid_type" && message.endsWith("received undefined");
}
