/** Where the product's CPU time goes under a load: V8's sampling profiler through workerd's inspector. */
import { type Contestant, send } from "./rounds.ts";
import type { Bench } from "./workerd.ts";

const SHOWN = 25;

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

/** Functions with the most time of their own, in percent of the time that JavaScript ran. */
export async function profile(bench: Bench, contestant: Contestant, durationMs: number): Promise<string[]> {
  const inspector = await connect(bench);
  await send(contestant, { connections: 16, durationMs: 500 });
  await inspector.ask("Profiler.enable");
  await inspector.ask("Profiler.setSamplingInterval", { interval: 200 });
  await inspector.ask("Profiler.start");
  await send(contestant, { connections: 16, durationMs });
  const { profile } = (await inspector.ask("Profiler.stop")) as { profile: Profile };
  inspector.close();

  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const own = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of profile.samples.entries()) {
    const { functionName, lineNumber } = nodes.get(id)!.callFrame;
    if (functionName === "(idle)" || functionName === "(root)") continue;
    const micros = profile.timeDeltas[index] ?? 0;
    busy += micros;
    const name = `${functionName || "(anonymous)"}:${lineNumber + 1}`;
    own.set(name, (own.get(name) ?? 0) + micros);
  }
  return [...own]
    .sort((a, b) => b[1] - a[1])
    .slice(0, SHOWN)
    .map(([name, micros]) => `${((micros / busy) * 100).toFixed(1).padStart(5)} %  ${name}`);
}

async function connect(bench: Bench) {
  const base = await bench.mf.getInspectorURL();
  const targets = (await (await fetch(new URL("/json", String(base).replace(/^ws/, "http")))).json()) as {
    id: string;
    webSocketDebuggerUrl: string;
  }[];
  const target = targets.find(({ id }) => id.includes("product"));
  if (!target) throw new Error(`No inspector target: ${JSON.stringify(targets)}`);
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (message.id !== undefined) waiting.get(message.id)?.(message.result);
  });
  let id = 0;
  return {
    ask: (method: string, params: object = {}): Promise<unknown> =>
      new Promise((resolve) => {
        waiting.set(++id, resolve);
        socket.send(JSON.stringify({ id, method, params }));
      }),
    close: () => socket.close(),
  };
}
