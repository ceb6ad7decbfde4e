/**
 * The chain over a site's audit: what of an entry is hashed, how a seal stands over entries and over the seal before, and what
 * is wrong where it does not. The Worker and the command line check by it, each with a SHA-256 of its own.
 */

/** SHA-256 of a text's UTF-8, as 64 hexadecimal digits. */
export type Sha256 = (text: string) => Promise<string>;

/** An entry as it is stored. */
export interface ChainEntry {
  /** 1, 2, 3 … within the site. */
  seq: number;
  /** Epoch milliseconds. */
  at: number;
  actor: string;
  action: string;
  /** Birth ids of all identifiers that the detail names. */
  subjects: readonly string[];
  /** JSON, with the salt that its hash is taken with; both null once it is erased: then `detailHash` is kept of it. */
  detail: string | null;
  salt: string | null;
  detailHash: string | null;
}

/** Stands over the entries after the seal before, up to `seq`. */
export interface Seal {
  seq: number;
  /** Epoch milliseconds. */
  at: number;
  /** Of each entry under it, in order. */
  digests: readonly string[];
  hash: string;
}

/** What a seal needs to know of the one before. */
export type SealHead = Pick<Seal, "seq" | "hash">;

/**
 * What is wrong: an entry is gone, is not what it was, or was never there; its detail is gone though nobody was erased whom it
 * names; a seal, or one before it, was changed or is gone.
 */
export const AUDIT_PROBLEMS = [
  "entry-missing",
  "entry-changed",
  "entry-unexpected",
  "detail-missing",
  "seal-changed",
] as const;

export interface Break {
  /** Of the entry, or of the first one under the seal. */
  seq: number;
  problem: (typeof AUDIT_PROBLEMS)[number];
}

/** Before the first seal stands the site itself: a chain holds for no other. */
export function chainStart(siteId: string): SealHead {
  return { seq: 0, hash: siteId };
}

/** The hash of a detail: what an erasure leaves of it. */
export function hashDetail(detail: string, salt: string, sha256: Sha256): Promise<string> {
  return sha256(JSON.stringify([salt, detail]));
}

/** Seals entries that follow one another and the seal before. At least one. */
export async function buildSeal(
  before: SealHead,
  entries: readonly ChainEntry[],
  at: number,
  sha256: Sha256,
): Promise<Seal> {
  const seq = before.seq + entries.length;
  const digests = await Promise.all(entries.map((entry) => hashEntry(entry, sha256)));
  return { seq, at, digests, hash: await hashSeal(before, { seq, at, digests }, sha256) };
}

/** All that is wrong with a seal and what it stands over: `entries` after the seal before, up to `seal.seq`, ascending. */
export async function checkSeal(
  before: SealHead,
  seal: Seal,
  entries: readonly ChainEntry[],
  sha256: Sha256,
): Promise<Break[]> {
  const first = before.seq + 1;
  const intact = seal.digests.length === seal.seq - before.seq && seal.hash === (await hashSeal(before, seal, sha256));
  if (!intact) return [{ seq: Math.max(1, first), problem: "seal-changed" }];
  const breaks: Break[] = [];
  const hashes = new Map<number, string>();
  await Promise.all(entries.map(async (entry) => hashes.set(entry.seq, await hashEntry(entry, sha256))));
  for (const seq of hashes.keys()) if (seq < first) breaks.push({ seq, problem: "entry-unexpected" });
  for (const [index, digest] of seal.digests.entries()) {
    const seq = first + index;
    const hash = hashes.get(seq);
    if (hash !== digest) breaks.push({ seq, problem: hash === undefined ? "entry-missing" : "entry-changed" });
  }
  return breaks.sort((a, b) => a.seq - b.seq);
}

/** What is wrong with entries that no seal stands over yet: the first that is missing among them, or is too much. */
export function checkUnsealed(last: SealHead, entries: readonly ChainEntry[]): Break[] {
  const at = entries.findIndex(({ seq }, index) => seq !== last.seq + 1 + index);
  if (at < 0) return [];
  const due = last.seq + 1 + at;
  const { seq } = entries[at]!;
  return [seq < due ? { seq, problem: "entry-unexpected" } : { seq: due, problem: "entry-missing" }];
}

async function hashEntry(entry: ChainEntry, sha256: Sha256): Promise<string> {
  const { seq, at, actor, action, subjects, detail, salt, detailHash } = entry;
  const evidence = detail === null ? detailHash : await hashDetail(detail, salt ?? "", sha256);
  return sha256(JSON.stringify([seq, at, actor, action, subjects, evidence]));
}

function hashSeal(before: SealHead, { seq, at, digests }: Omit<Seal, "hash">, sha256: Sha256): Promise<string> {
  return sha256(JSON.stringify([before.hash, seq, at, digests]));
}
