/** Audits to try things on: entries of a site that nobody else has, and the whole of its chain verified piece by piece. */
import { env } from "cloudflare:test";
import { type Piece, readPiece, verifyPiece } from "../../../edge/audit/verify.ts";
import { type AuditEntry, insertAudit, redactAudit } from "../../../edge/db/audit.ts";
import type { Break } from "../../../shared/audit.ts";

export const newSiteId = () => `s${crypto.randomUUID().slice(0, 8)}`;

export const oneTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** A link of two identifiers that were born p<n> and q<n>. */
export function buildEntry(n: number, more: Partial<AuditEntry> = {}): AuditEntry {
  const detail = { a: `userId:u${n}`, b: `email:u${n}@shop.example`, evidence: "identify" };
  return { at: 1_000 + n, actor: "browser", action: "link", subjects: [`p${n}`, `q${n}`], detail, ...more };
}

export async function append(siteId: string, ...entries: AuditEntry[]): Promise<void> {
  await env.DB.batch(insertAudit(env.DB, siteId, entries));
}

/** Erases a person who has these birth ids. */
export async function erase(siteId: string, ...subjects: string[]): Promise<void> {
  const entry = buildEntry(0, { actor: "key:1", action: "erase", subjects, detail: {} });
  await env.DB.batch([...(await redactAudit(env.DB, siteId, subjects)), ...insertAudit(env.DB, siteId, [entry])]);
}

/** Runs SQL in which `?1` is the site. */
export async function run(siteId: string, ...statements: string[]): Promise<void> {
  for (const sql of statements) await env.DB.prepare(sql).bind(siteId).run();
}

export async function readRows<T = Record<string, unknown>>(siteId: string, sql: string): Promise<T[]> {
  return (await env.DB.prepare(sql).bind(siteId).all<T>()).results;
}

/** All that is wrong with a site's audit, and what was looked at. */
export async function verify(siteId: string, limit = 1_000) {
  const breaks: Break[] = [];
  const seqs: number[] = [];
  let redacted = 0;
  let pieces = 0;
  let head: Piece["head"] = null;
  for (let after: number | null = 0; after !== null; pieces++) {
    const piece: Piece = await readPiece(env.DB, siteId, after, limit);
    const verdict = await verifyPiece(env.DB, siteId, piece);
    breaks.push(...verdict.breaks);
    redacted += verdict.redacted;
    seqs.push(...[...piece.sealed.flatMap(({ entries }) => entries), ...piece.unsealed].map(({ seq }) => seq));
    head = piece.head;
    after = piece.next;
  }
  return { breaks, seqs, redacted, pieces, head };
}
