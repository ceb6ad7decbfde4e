/** Stands between a client and the Worker, hands everything on, and strikes when the n-th batch is with the Worker, unanswered. */
import { createServer, request as startRequest } from "node:http";
import type { AddressInfo } from "node:net";

export interface Gate {
  url: string;
  reached: Promise<void>;
  /** Batches that clients sent through it. */
  batches(): number;
  close(): Promise<void>;
}

export async function startGate(target: string, strikeAt: number, strike: () => void): Promise<Gate> {
  let batches = 0;
  let onReached = () => {};
  const reached = new Promise<void>((resolve) => {
    onReached = resolve;
  });

  const server = createServer((incoming, outgoing) => {
    const number = incoming.url === "/v1/batch" ? ++batches : 0;
    const onward = startRequest(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method ?? "GET", headers: incoming.headers, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on("error", () => outgoing.destroy()).pipe(outgoing);
      },
    );
    // As a Worker that is gone looks: the connection breaks.
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
    if (number !== strikeAt) return;
    onward.on("finish", () => {
      strike();
      onReached();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached,
    batches: () => batches,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
