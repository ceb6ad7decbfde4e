#!/usr/bin/env node
/** The `attune` command line: finds the command and shows what went wrong in one line. */
import { Failure } from "./project.ts";

const USAGE = `Usage: npm run attune -- <command> [options]

  start                     build, migrate and start everything here: npm start
      --port <n>            default 8787, or the environment's PORT
      --state <folder>      where D1 and KV are kept; default .wrangler/state
      --origin <url>        a server of yours to stand before: its pages are filled while they stream
      --origin-key <key>    the write key of the site that stands there; default pk_demo
      --verbose             show each request
  build                     the browser script and its files, into dist/assets
      --demo                with the demo shop
  deploy                    to your Cloudflare account: npm run deploy
      --dry-run             everything that needs no account; prints the Worker's size
  site create <domain>      a site with its keys, on a running Worker
      --name <text>         default: the domain
      --time-zone <zone>    default: UTC
      --consent <mode>      off | memory | session | full; what a new visitor has allowed, outside of Europe
      --consent-region <r>  outside-europe | everywhere; where that holds. Default: outside-europe
  key create                one more key for the site of ATTUNE_SECRET_KEY
      --kind <kind>         write | secret (default)
      --label <text>        what it is for
  audit verify              whether the audit of the site of ATTUNE_SECRET_KEY is what it was; exit code 1 if not
      --anchor <text>       the head that an earlier run printed: whether nothing has changed up to it since
  replay <file>             send a clickstream file to a running Worker; see replay --help
  help                      this text

Options stand behind a \`--\`, which npm needs: npm start -- --port 8080.
site, key and audit ask a running Worker: --url (or ATTUNE_URL, default http://127.0.0.1:8787) says which one, and
ATTUNE_ADMIN_TOKEN holds its admin token. Both are found by themselves on a local start.
`;

/** Loaded when called, so that one command never pays for, or breaks with, another. */
const COMMANDS: { [name: string]: () => Promise<(args: string[]) => Promise<number | undefined>> } = {
  start: async () => (await import("./start.ts")).start,
  build: async () => (await import("./build.ts")).runBuild,
  deploy: async () => (await import("./deploy.ts")).deploy,
  site: async () => (await import("./site.ts")).runSite,
  key: async () => (await import("./site.ts")).runKey,
  audit: async () => (await import("./audit.ts")).runAudit,
  replay: async () => (await import("./replay.ts")).replay,
  help: async () => async () => {
    process.stdout.write(USAGE);
    return 0;
  },
};

async function main([name = "help", ...args]: string[]): Promise<number> {
  // What a file is replayed with has a text of its own.
  const asksHelp = [name, ...args].some((it) => it === "--help" || it === "-h") && name !== "replay";
  const command = asksHelp ? "help" : name;
  if (!Object.hasOwn(COMMANDS, command)) {
    throw new Failure(`Unknown command "${name}": one of ${Object.keys(COMMANDS).join(", ")}.`, 2);
  }
  const run = await COMMANDS[command]!();
  return (await run(args)) ?? 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`attune: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
