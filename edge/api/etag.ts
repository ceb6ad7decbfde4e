/** ETags of configuration objects: whoever sends `If-Match` never overwrites what they have not seen. */
import { Problem } from "../problem.ts";
import type { ApiContext } from "./app.ts";

/** `parts` are what changes with each write, such as version and status. */
export function toEtag(...parts: (string | number | null)[]): string {
  return `"${parts.map((part) => part ?? "-").join(".")}"`;
}

/** @throws Problem `version-mismatch` when `If-Match` came and names another state. */
export function checkIfMatch(c: ApiContext, etag: string): void {
  const wanted = c.req.header("if-match");
  if (wanted === undefined || wanted.trim() === "*") return;
  // A proxy that compresses may have made the tag weak.
  const tags = wanted.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (!tags.includes(etag)) throw new Problem("version-mismatch", `The object is at ${etag} now.`);
}
