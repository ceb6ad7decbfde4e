/** Speaks the developer API of a running Worker, as any customer would; a refusal becomes one line. */
import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { ProblemDocument } from "../shared/wire.ts";
import { Failure, LOCAL_PORT, LOCAL_VARS } from "./project.ts";

export interface Api {
  url: string;
  /** The admin token, or a site's secret key. */
  token: string;
}

export interface ApiAnswer<T> {
  status: number;
  body: T;
}

/** Sends one request; `accept` lists further statuses that the caller handles itself. @throws {Failure} */
export async function callApi<T>(
  api: Api,
  method: string,
  path: string,
  body?: unknown,
  accept: number[] = [],
): Promise<ApiAnswer<T>> {
  const response = await fetch(api.url + path, {
    method,
    headers: {
      authorization: `Bearer ${api.token}`,
      "content-type": "application/json",
      // One that is kept may be closed by the Worker in the moment that it is used again.
      connection: "close",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Failure(`No Worker answers at ${api.url}: start one with \`npm start\`, or name yours with --url.`);
  });
  const text = await response.text();
  if (!response.ok && !accept.includes(response.status)) {
    throw new Failure(`${method} ${path} answered ${response.status}: ${readProblem(text)}`);
  }
  return { status: response.status, body: parseJson(text) as T };
}

/** The Worker and the admin token that --url, the environment or the local start name. @throws {Failure} */
export async function findAdmin(url: string | undefined): Promise<Api> {
  const target = findUrl(url);
  const local = isLocal(target) ? await readLocalVars() : {};
  const token = process.env["ATTUNE_ADMIN_TOKEN"] ?? local["ATTUNE_ADMIN_TOKEN"];
  if (!token && isLocal(target))
    throw new Failure("Nothing was started here yet: run `npm start`, or name a Worker with --url.");
  if (!token) throw new Failure("Set ATTUNE_ADMIN_TOKEN to the admin token that `npm run deploy` printed.");
  return { url: target, token };
}

/** The Worker and the secret key of one site; on a local start the demo's. @throws {Failure} */
export function findSite(url: string | undefined): Api {
  const target = findUrl(url);
  const token = process.env["ATTUNE_SECRET_KEY"] ?? (isLocal(target) ? "sk_demo" : undefined);
  if (!token) throw new Failure("Set ATTUNE_SECRET_KEY to a secret key of the site, sk_….");
  return { url: target, token };
}

function findUrl(url: string | undefined): string {
  return (url ?? process.env["ATTUNE_URL"] ?? `http://127.0.0.1:${LOCAL_PORT}`).replace(/\/+$/, "");
}

function isLocal(url: string): boolean {
  return /^http:\/\/(127\.0\.0\.1|localhost)(:|$)/.test(url);
}

/** Secrets of the local start; empty before the first. */
export async function readLocalVars(): Promise<{ [name: string]: string }> {
  const text = await readFile(LOCAL_VARS, "utf8").catch(() => "");
  return parseEnv(text) as { [name: string]: string };
}

function readProblem(text: string): string {
  const problem = parseJson(text) as Partial<ProblemDocument> | null;
  if (!problem?.title) return text.slice(0, 200) || "nothing";
  const errors = problem.errors?.map(({ pointer, detail }) => `${pointer || "/"}: ${detail}`) ?? [];
  return [problem.detail ?? problem.title, ...errors].join("; ");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
