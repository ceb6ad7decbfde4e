/** Walks the chain over a site's audit, a bounded piece at a time, and says what is wrong with it. */
import {
  type Break,
  type ChainEntry,
  chainStart,
  checkSeal,
  checkUnsealed,
  type Seal,
  type SealHead,
} from "../../shared/audit.ts";
import { listEntries, listNotErased } from "../db/audit.ts";
import { listSeals, readLastSeal, readSeal } from "../db/audit-seals.ts";
import { sha256 } from "../sha256.ts";
import { SEALED } from "./seal.ts";

/** A piece of the chain, from oldest to newest. */
export interface Piece {
  /** What stands before it. */
  before: SealHead;
  sealed: { seal: Seal; entries: ChainEntry[] }[];
  /** With the last piece: entries that no seal stands over yet, the first of them. */
  unsealed: ChainEntry[];
  /** `seq` of the seal after which the next piece begins; null with the last. */
  next: number | null;
  /** The newest seal of the site; null before the first. */
  head: SealHead | null;
}

/** Reads the chain after a seal: about as many entries as asked for, one seal in any case. */
export async function readPiece(db: D1Database, siteId: string, after: number, limit: number): Promise<Piece> {
  // What was put before the beginning belongs to the first piece.
  const from = after || Number.MIN_SAFE_INTEGER;
  const [known, seals, head] = await Promise.all([
    after ? readSeal(db, siteId, after) : chainStart(siteId),
    listSeals(db, siteId, from, after + limit),
    readLastSeal(db, siteId),
  ]);
  const last = seals.at(-1);
  const isLast = !last || last.seq === head?.seq;
  const end = isLast ? Number.MAX_SAFE_INTEGER : last.seq;
  const entries = await listEntries(db, siteId, from, end, limit + SEALED);
  let start = 0;
  const sealed = seals.map((seal) => {
    const first = start;
    while (start < entries.length && entries[start]!.seq <= seal.seq) start++;
    return { seal, entries: entries.slice(first, start) };
  });
  return {
    // A seal that is gone meanwhile leaves a hash that fits nothing.
    before: known ?? { seq: after, hash: "" },
    sealed,
    unsealed: entries.slice(start),
    next: isLast ? null : last.seq,
    head,
  };
}

/** What a piece comes to. */
export interface Verdict {
  /** Entries looked at. */
  checked: number;
  /** Of them, those whose details were erased: they hold by their hashes. */
  redacted: number;
  /** All that is wrong, in order. */
  breaks: Break[];
}

export async function verifyPiece(db: D1Database, siteId: string, piece: Piece): Promise<Verdict> {
  const breaks: Break[] = [];
  let last = piece.before;
  for (const { seal, entries } of piece.sealed) {
    breaks.push(...(await checkSeal(last, seal, entries, sha256)));
    last = seal;
  }
  breaks.push(...checkUnsealed(last, piece.unsealed));
  const entries = [...piece.sealed.flatMap((under) => under.entries), ...piece.unsealed];
  const redacted = entries.filter(({ detail }) => detail === null).map(({ seq }) => seq);
  if (redacted.length) {
    const unasked = await listNotErased(db, siteId, redacted);
    breaks.push(...unasked.map((seq): Break => ({ seq, problem: "detail-missing" })));
  }
  return { checked: entries.length, redacted: redacted.length, breaks: breaks.sort((a, b) => a.seq - b.seq) };
}
