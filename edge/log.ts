/** Structured logs: one JSON line, with ids and names only. Bodies, traits, tokens, keys and addresses never come here. */

export function log(level: "info" | "warn" | "error", fields: Record<string, string | number | boolean | null>): void {
  console[level](JSON.stringify({ level, ...fields }));
}
