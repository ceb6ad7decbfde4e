/** Keeps a bounded number of batches in flight, never two of one person, and saves what was acknowledged. */
import type { Batch } from "./batches.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Progress } from "./progress.ts";
import { count, Stopped, sendBatch, type Target } from "./send.ts";

const SAVE_MS = 1_000;

export interface Run {
  target: Target;
  batches: AsyncIterable<Batch>;
  checkpoint: Checkpoint;
  concurrency: number;
  progress: Progress;
  signal: AbortSignal;
}

/** Resolves when all is acknowledged or `signal` aborts; the checkpoint is saved either way. @throws Stopped */
export async function run({ target, batches, checkpoint, concurrency, progress, signal }: Run): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const inFlight = new Set<Promise<void>>();
  const lastOf = new Map<string, Promise<void>>();
  const { tally } = checkpoint;
  let savedAt = performance.now();
  let failure: unknown;

  async function deliver(batch: Batch, before: Promise<unknown>): Promise<void> {
    try {
      await before;
      either.throwIfAborted();
      const answer = await sendBatch(target, batch, either, (why) => progress.show(tally.sent, `${why}, trying again`));
      count(tally, batch, answer);
      checkpoint.add(batch.index);
      progress.show(tally.sent);
      if (performance.now() - savedAt < SAVE_MS) return;
      savedAt = performance.now();
      checkpoint.save();
    } catch (error) {
      // The first failure ends the run; the others only say that it has ended.
      failure ??= error;
      stop.abort();
    }
  }

  for await (const batch of batches) {
    if (checkpoint.has(batch.index)) continue;
    while (inFlight.size >= concurrency) await Promise.race(inFlight);
    if (either.aborted) break;
    const before = Promise.all(batch.persons.map((person) => lastOf.get(person)));
    const delivery = deliver(batch, before).finally(() => {
      inFlight.delete(delivery);
      for (const person of batch.persons) if (lastOf.get(person) === delivery) lastOf.delete(person);
    });
    inFlight.add(delivery);
    for (const person of batch.persons) lastOf.set(person, delivery);
  }
  await Promise.all(inFlight);
  checkpoint.save();
  if (failure instanceof Stopped) throw failure;
  if (failure !== undefined && !signal.aborted) throw failure;
}
