/** Talks to the developer API as its callers do: through the Worker, over HTTP. */
import { env } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import type { ProblemDocument } from "../../../shared/wire.ts";
import "../site.ts";

export interface Client {
  siteId: string;
  writeKey: string;
  secretKey: string;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** The answer's JSON, of a request that has to succeed. */
  get<T = Json>(path: string): Promise<T>;
  post<T = Json>(path: string, body?: unknown): Promise<T>;
  put<T = Json>(path: string, body?: unknown): Promise<T>;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at as a caller without types would
export type Json = any;

export const ADMIN = env.ATTUNE_ADMIN_TOKEN!;

export function send(
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  return exports.default.fetch(`https://edge.example${path}`, {
    method,
    headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
    ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
  });
}

/** A new site and its own keys. */
export async function newSite(settings: object = {}): Promise<Client> {
  const created = await send(ADMIN, "POST", "/api/sites", { name: "Shop", consentDefault: "full", ...settings });
  expect(created.status).toBe(201);
  const { id, writeKey, secretKey } = await created.json<Json>();
  const client: Client = {
    siteId: id,
    writeKey,
    secretKey,
    send: (...args) => send(secretKey, ...args),
    get: (path) => succeed(client.send("GET", path)),
    post: (path, body) => succeed(client.send("POST", path, body)),
    put: (path, body) => succeed(client.send("PUT", path, body)),
  };
  return client;
}

/** All of a list, page by page. */
export async function readPages(client: Client, path: string): Promise<Json[]> {
  const rows: Json[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Json = await client.get(cursor ? `${path}&cursor=${cursor}` : path);
    rows.push(...page.data);
    cursor = page.next;
  }
  return rows;
}

async function succeed<T>(answer: Promise<Response>): Promise<T> {
  const response = await answer;
  const body = await response.text();
  expect(response.ok, body).toBe(true);
  return JSON.parse(body);
}

/** The problem that a request has to be answered with. */
export async function problemOf(answer: Promise<Response>, slug: string): Promise<ProblemDocument> {
  const response = await answer;
  const text = await response.text();
  expect(text).toContain(`"/problems#${slug}"`);
  const problem = JSON.parse(text) as ProblemDocument;
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(problem).toMatchObject({ type: `/problems#${slug}`, status: response.status, title: expect.any(String) });
  expect(problem.instance).toBe(response.headers.get("x-request-id"));
  return problem;
}

/** Stores events through the public plane. With the origin of a page they are a browser's, which may say anything. */
export async function ingest(client: Client, messages: object[], origin?: string): Promise<void> {
  const response = await exports.default.fetch("https://edge.example/v1/batch", {
    method: "POST",
    ...(origin && { headers: { origin } }),
    body: JSON.stringify({ writeKey: client.writeKey, batch: messages }),
  });
  expect(await response.json<Json>()).toMatchObject({ accepted: messages.length, rejected: [] });
}

export const VIEWED_TWICE = { event: "Product Viewed", within: "24h", count: { gte: 2 } };
