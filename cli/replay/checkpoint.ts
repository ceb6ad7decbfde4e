/** What of a file was acknowledged, kept on disk so that an interrupted replay continues where the Worker's word ends. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What the Worker said so far. Saved together with the batches that it said it about. */
export interface Tally {
  sent: number;
  accepted: number;
  /** Problem type → events. */
  rejected: { [type: string]: { count: number; example: string } };
}

interface Saved {
  format: 1;
  /** For people: which file this is about. */
  file: string;
  shiftMs: number;
  /** Every batch below this one was acknowledged. */
  below: number;
  /** And these above it. */
  above: number[];
  tally: Tally;
}

export class Checkpoint {
  readonly path: string;
  readonly resumed: boolean;
  readonly #saved: Saved;
  readonly #above: Set<number>;

  /** `identity` is all that makes two runs the same run. `shiftMs` is taken from an earlier run if there was one. */
  constructor(folder: string, identity: readonly unknown[], file: string, shiftMs: number, fresh: boolean) {
    const hash = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
    this.path = join(folder, `${hash}.json`);
    const earlier = fresh ? undefined : readSaved(this.path);
    this.resumed = earlier !== undefined;
    this.#saved = earlier ?? {
      format: 1,
      file,
      shiftMs,
      below: 0,
      above: [],
      tally: { sent: 0, accepted: 0, rejected: {} },
    };
    this.#above = new Set(this.#saved.above);
  }

  get shiftMs(): number {
    return this.#saved.shiftMs;
  }

  get tally(): Tally {
    return this.#saved.tally;
  }

  has(batch: number): boolean {
    return batch < this.#saved.below || this.#above.has(batch);
  }

  add(batch: number): void {
    this.#above.add(batch);
    while (this.#above.delete(this.#saved.below)) this.#saved.below++;
  }

  /** In one step, so that a kill in the middle leaves the one before. */
  save(): void {
    mkdirSync(dirname(this.path), { recursive: true });
    const draft = `${this.path}.${process.pid}`;
    writeFileSync(draft, JSON.stringify({ ...this.#saved, above: [...this.#above] }));
    renameSync(draft, this.path);
  }

  /** After the last batch: the same command sends the file again, which changes nothing. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

function readSaved(path: string): Saved | undefined {
  try {
    const saved = JSON.parse(readFileSync(path, "utf8")) as Saved;
    return saved.format === 1 ? saved : undefined;
  } catch {
    // None, or cut off by a full disk: then the file is sent from its start, which is slow and harmless.
    return undefined;
  }
}
