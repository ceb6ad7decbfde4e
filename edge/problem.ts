/** RFC 9457 problems: one table of slugs, so that a typo fails to compile and each one is documented. */
import type { ProblemDocument } from "../shared/wire.ts";

/** Slug → [HTTP status, title]. */
export const PROBLEMS = {
  "invalid-json": [400, "The body is not JSON"],
  "invalid-request": [400, "The request does not fit its schema"],
  "invalid-event": [400, "The event does not fit the Segment spec"],
  unauthorized: [401, "The key is missing or unknown"],
  "forbidden-origin": [403, "This origin is not allowed for the site"],
  forbidden: [403, "This key may not do that"],
  "consent-withheld": [403, "The person has not allowed this"],
  "not-found": [404, "There is nothing here"],
  "method-not-allowed": [405, "The method is not supported here"],
  erased: [410, "The person was erased"],
  conflict: [409, "The request conflicts with what is stored"],
  "version-mismatch": [412, "The object has changed since it was read"],
  "event-too-large": [413, "The event is larger than 32 KB"],
  "batch-too-large": [413, "The body is larger than 500 KB"],
  "upload-too-large": [413, "The list is larger than 1 MB or 10,000 rows"],
  "invalid-condition": [422, "The condition is not valid"],
  "invalid-template": [422, "The template is not valid"],
  "past-too-long": [422, "The people concerned have sent too much for this"],
  "idempotency-mismatch": [422, "The Idempotency-Key was used for another request"],
  "too-many-requests": [429, "Too many requests"],
  internal: [500, "Something failed on our side"],
  overloaded: [503, "The store is overloaded, try again"],
} as const satisfies Record<string, readonly [number, string]>;

export type Slug = keyof typeof PROBLEMS;
export type ProblemError = { pointer: string; code: string; detail: string };

/** Thrown by handlers; one place turns it into `application/problem+json`. */
export class Problem extends Error {
  readonly slug: Slug;
  readonly errors: ProblemError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Record<string, string> | undefined;

  constructor(
    slug: Slug,
    detail?: string,
    options: { errors?: ProblemError[]; retryAfterSeconds?: number; headers?: Record<string, string> } = {},
  ) {
    super(detail ?? PROBLEMS[slug][1]);
    this.slug = slug;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers;
  }

  get status(): number {
    return PROBLEMS[this.slug][0];
  }

  /** The document; `instance` is the request's id. */
  toDocument(instance?: string): ProblemDocument {
    const [status, title] = PROBLEMS[this.slug];
    return {
      type: `/problems#${this.slug}`,
      title,
      status,
      detail: this.message,
      ...(instance && { instance }),
      ...(this.errors && { errors: this.errors }),
    };
  }

  toResponse(instance?: string, headers: HeadersInit = {}): Response {
    const response = new Response(JSON.stringify(this.toDocument(instance)), {
      status: this.status,
      headers: { ...headers, ...this.headers, "content-type": "application/problem+json", "cache-control": "no-store" },
    });
    if (this.retryAfterSeconds !== undefined) response.headers.set("retry-after", String(this.retryAfterSeconds));
    return response;
  }
}
