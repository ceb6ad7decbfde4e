/**
 * `attune audit verify`: computes the chain over a site's audit anew, from the entries and seals that a running Worker gives. What
 * the Worker itself says of it is not asked.
 */
import { createHash } from "node:crypto";
import {
  type Break,
  type ChainEntry,
  chainStart,
  checkSeal,
  checkUnsealed,
  type Seal,
  type SealHead,
} from "../shared/audit.ts";
import { type Api, callApi, findSite } from "./api.ts";
import { readOptions } from "./options.ts";
import { Failure } from "./project.ts";
import { formatCount } from "./replay/progress.ts";

/** As `GET /api/audit/chain` gives them. */
type SentEntry = Omit<ChainEntry, "at" | "detail"> & { at: string; detail: unknown };
interface SentPiece {
  site: string;
  data: { seal: Omit<Seal, "at"> & { at: string }; entries: SentEntry[] }[];
  unsealed: SentEntry[];
  next: string | null;
}

/** Breaks that are named; the rest is counted. */
const NAMED = 20;
/** Entries between two lines of progress. */
const PROGRESS = 10_000;

const MEANINGS: { [problem in Break["problem"]]: (seq: number) => string } = {
  "entry-missing": (seq) => `Entry ${seq} is gone.`,
  "entry-changed": (seq) => `Entry ${seq} is not what it was.`,
  "entry-unexpected": (seq) => `Entry ${seq} was put in afterwards.`,
  "detail-missing": (seq) => `Entry ${seq} lost its detail, though nobody was erased whom it names.`,
  "seal-changed": (seq) => `The seal over entry ${seq}, or one before it, was changed or is gone.`,
};

interface Walk {
  site: string;
  entries: number;
  redacted: number;
  unsealed: number;
  seals: number;
  breaks: Break[];
  last: SealHead;
  anchored: boolean;
}

/** Resolves to the exit code: 0 it holds, 1 it does not. @throws {Failure} */
export async function runAudit(args: string[]): Promise<number> {
  const { values, positionals } = readOptions(args, { url: { type: "string" }, anchor: { type: "string" } }, true);
  if (positionals[0] !== "verify" || positionals.length > 1) {
    throw new Failure("Usage: audit verify [--anchor <seq>:<hash>] [--url …]", 2);
  }
  const { anchor } = values;
  if (anchor !== undefined && !/^\d+:[0-9a-f]{64}$/.test(anchor)) {
    throw new Failure(`"${anchor}" is no anchor: give the head that an earlier run printed, <seq>:<hash>.`, 2);
  }
  const { site, entries, redacted, unsealed, seals, breaks, last, anchored } = await walk(findSite(values.url), anchor);
  for (const { seq, problem } of breaks.slice(0, NAMED)) say(MEANINGS[problem](seq));
  if (breaks.length > NAMED) say(`… and ${formatCount(breaks.length - NAMED)} more.`);
  const isLost = anchor !== undefined && !anchored;
  if (isLost) say(`The anchor ${anchor} is not in the chain: that was cut off or made anew, or is another site's.`);
  const holds = breaks.length === 0 && !isLost;
  say(`The audit of ${site} ${holds ? "holds" : "does not hold"}.
  entries  ${formatCount(entries)}, of them ${formatCount(redacted)} erased and ${formatCount(unsealed)} not sealed yet
  seals    ${formatCount(seals)}`);
  if (holds && seals > 0) {
    say(`  head     ${last.seq}:${last.hash}
Keep the head where nobody can change it: as --anchor it proves later that nothing up to it has changed since.`);
  }
  return holds ? 0 : 1;
}

async function walk(api: Api, anchor: string | undefined): Promise<Walk> {
  let piece = await readPiece(api, null);
  const last = chainStart(piece.site);
  const walked: Walk = {
    ...{ site: piece.site, entries: 0, redacted: 0, unsealed: 0, seals: 0, breaks: [] },
    ...{ last, anchored: false },
  };
  const redacted: SentEntry[] = [];
  /** Whom an erasure names → the last one that does. */
  const erasures = new Map<string, number>();
  const take = (sent: SentEntry[]): ChainEntry[] => {
    walked.entries += sent.length;
    redacted.push(...sent.filter(({ detail }) => detail === null));
    for (const { seq, action, subjects } of sent)
      if (action === "erase") for (const subject of subjects) erasures.set(subject, seq);
    return sent.map(toEntry);
  };
  for (let shown = 0; ; piece = await readPiece(api, piece.next)) {
    for (const { seal: sent, entries } of piece.data) {
      const seal = { ...sent, at: Date.parse(sent.at) };
      walked.breaks.push(...(await checkSeal(walked.last, seal, take(entries), sha256)));
      walked.last = seal;
      walked.seals++;
      if (`${seal.seq}:${seal.hash}` === anchor) walked.anchored = true;
    }
    walked.breaks.push(...checkUnsealed(walked.last, take(piece.unsealed)));
    walked.unsealed += piece.unsealed.length;
    if (piece.next === null) break;
    if (walked.entries >= shown + PROGRESS) {
      shown = walked.entries;
      process.stderr.write(`${formatCount(shown)} entries\n`);
    }
  }
  walked.redacted = redacted.length;
  for (const { seq, subjects } of redacted) {
    if (!subjects.some((subject) => (erasures.get(subject) ?? 0) > seq))
      walked.breaks.push({ seq, problem: "detail-missing" });
  }
  walked.breaks.sort((a, b) => a.seq - b.seq);
  return walked;
}

async function readPiece(api: Api, cursor: string | null): Promise<SentPiece> {
  const query = cursor === null ? "" : `?cursor=${cursor}`;
  return (await callApi<SentPiece>(api, "GET", `/api/audit/chain${query}`)).body;
}

function toEntry({ at, detail, ...entry }: SentEntry): ChainEntry {
  return { ...entry, at: Date.parse(at), detail: detail === null ? null : JSON.stringify(detail) };
}

async function sha256(text: string): Promise<string> {
  return createHash("sha256").update(text).digest("hex");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
