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

/** What a function of a script is in a trace. That it is fetched is told, too: by the page, in a task of its own. */
const RUNS = ["EvaluateScript", "FunctionCall", "v8.compile"];

/** @returns milliseconds, in the order in which they ran. */
export function readOurTasks(trace: Buffer, scriptEnding: string): number[] {
  const { traceEvents } = JSON.parse(trace.toString("utf8")) as { traceEvents: TraceEvent[] };
  const ours = traceEvents.filter(({ name, args }) => RUNS.includes(name) && args.data?.url?.endsWith(scriptEnding));
  return traceEvents
    .filter(
      ({ name, pid, tid, ts, dur = 0 }) =>
        name === "RunTask" &&
        ours.some((own) => own.pid === pid && own.tid === tid && own.ts >= ts && own.ts <= ts + dur),
    )
    .map(({ dur = 0 }) => dur / 1_000);
}
