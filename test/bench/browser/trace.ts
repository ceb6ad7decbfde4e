/** Reads a trace of Chromium: how long the tasks took in which code of one script ran. */

/** The parts of a trace event that are used here; times in microseconds. */
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  args: { data?: { url?: string } };
}

/** @returns milliseconds, in the order in which they ran. */
export function readOurTasks(trace: Buffer, scriptEnding: string): number[] {
  const { traceEvents } = JSON.parse(trace.toString("utf8")) as { traceEvents: TraceEvent[] };
  const ours = traceEvents.filter(({ args }) => args.data?.url?.endsWith(scriptEnding));
  return traceEvents
    .filter(
      ({ name, pid, tid, ts, dur = 0 }) =>
        name === "RunTask" &&
        ours.some((own) => own.pid === pid && own.tid === tid && own.ts >= ts && own.ts <= ts + dur),
    )
    .map(({ dur = 0 }) => dur / 1_000);
}
