/** Arguments of a command: `parseArgs` of Node, its complaint as one line with exit code 2. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { Failure, LOCAL_PORT } from "./project.ts";

/** @param allowPositionals whether the command takes what is no option. */
export function readOptions<const T extends ParseArgsOptionsConfig>(
  args: string[],
  options: T,
  allowPositionals = false,
) {
  try {
    return parseArgs({ args, options, allowPositionals, strict: true });
  } catch (error) {
    const [line] = (error as Error).message.split(/\.\s|\n/);
    throw new Failure(`${line}. See \`npm run attune -- help\`.`, 2);
  }
}

/** `--port`, else PORT, else 8787. */
export function readPort(option: string | undefined): number {
  const text = option ?? process.env["PORT"] ?? String(LOCAL_PORT);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Failure(`"${text}" is not a port: a whole number from 1 to 65535.`, 2);
  }
  return port;
}

/** Where the Worker is to stand: `--origin` with scheme and host, and nothing behind them. */
export function readOrigin(option: string): string {
  const url = URL.canParse(option) ? new URL(option) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new Failure(`"${option}" is not an origin: write it as http://localhost:3000.`, 2);
  }
  return url.origin;
}
