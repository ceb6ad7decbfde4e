/** `npm start`: everything on this machine, from a clean checkout to a shop in the browser, and a clean end. */
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { SITE } from "../client/demo/seed.ts";
import { readLocalVars } from "./api.ts";
import { build } from "./build.ts";
import { readOptions, readOrigin, readPort } from "./options.ts";
import { Failure, LOCAL_STATE, LOCAL_VARS } from "./project.ts";
import { seedDemo } from "./seed.ts";
import { checkPort, startWorker } from "./worker.ts";

const CRON_MS = 60_000;

export async function start(args: string[]): Promise<number> {
  const { values } = readOptions(args, {
    port: { type: "string" },
    state: { type: "string", default: LOCAL_STATE },
    origin: { type: "string" },
    "origin-key": { type: "string", default: SITE.writeKey },
    verbose: { type: "boolean", short: "v" },
  });
  const port = readPort(values.port);
  // The shop's pages lie beside the Worker: it stands before them, too.
  const origin = values.origin === undefined ? "assets" : readOrigin(values.origin);
  await checkPort(port);
  const end = untilSignal();
  const say = (line: string) => process.stdout.write(`${line}\n`);

  say("Building the script and the shop …");
  await build({ demo: true });
  const vars = await readOrMakeVars();
  say("Starting the Worker …");
  let log: (line: string) => void = values.verbose ? say : () => {}; // what goes wrong before it runs comes as the one line that it throws
  const worker = await startWorker({
    port,
    persistTo: values.state,
    vars: {
      ...vars,
      ATTUNE_LOCAL: "1",
      ORIGIN: origin,
      ORIGIN_KEY: values["origin-key"],
      // An app has its own `/api`: it stands under this name, Attune's under the machine's number.
      ...(values.origin !== undefined && { ORIGIN_HOSTS: "localhost" }),
    },
    log: (line) => log(line),
  });
  if (!values.verbose) log = showTrouble;
  const cron = setInterval(() => runSchedule(worker.url), CRON_MS);
  try {
    await seedDemo({ url: worker.url, token: vars["ATTUNE_ADMIN_TOKEN"]! });
    say(welcome(worker.url, values.state, values.origin === undefined ? null : origin));
    const cause = await Promise.race([end, worker.ended]);
    if (cause === undefined) return 0;
    throw new Failure(`The Worker ended: ${cause}`);
  } finally {
    clearInterval(cron);
    await worker.stop();
  }
}

/** Resolves at the first Ctrl-C or request to end; a second one does not cut the clean-up short. */
function untilSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(undefined));
  });
}

async function readOrMakeVars(): Promise<{ [name: string]: string }> {
  const vars = await readLocalVars();
  if (vars["ATTUNE_SECRET"] && vars["ATTUNE_ADMIN_TOKEN"]) return vars;
  const made = {
    ATTUNE_SECRET: vars["ATTUNE_SECRET"] ?? randomBytes(32).toString("base64url"),
    ATTUNE_ADMIN_TOKEN: vars["ATTUNE_ADMIN_TOKEN"] ?? randomBytes(24).toString("base64url"),
  };
  await mkdir(dirname(LOCAL_VARS), { recursive: true });
  const lines = Object.entries(made).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(LOCAL_VARS, lines.join(""), { mode: 0o600 });
  return made;
}

/** What Cloudflare's cron does each minute; `wrangler dev` leaves it to us. */
async function runSchedule(url: string): Promise<void> {
  try {
    const response = await fetch(`${url}/cdn-cgi/handler/scheduled`, { signal: AbortSignal.timeout(CRON_MS) });
    if (!response.ok) process.stderr.write(`The scheduled run answered ${response.status}.\n`);
  } catch {
    // the Worker restarts or ends: the next minute does what this one left
  }
}

/** Requests are not worth a line each; warnings and errors are. */
function showTrouble(line: string): void {
  const plain = stripVTControlCharacters(line);
  if (/\[ERROR\]|\[wrangler:error\]|"level":"(error|warn)"|Uncaught/.test(plain)) process.stderr.write(`${plain}\n`);
}

/** @param origin what the Worker stands before; null: the shop */
function welcome(url: string, state: string, origin: string | null): string {
  const streamed = origin
    ? `${url.replace("127.0.0.1", "localhost")}/               ${origin}, filled by the Worker in the HTML stream`
    : `${url}/demo/stream/   the same shop, filled by the Worker in the HTML stream`;
  const mail = `curl -s ${url}/api/email/tokens -H 'Authorization: Bearer sk_demo' -H 'Content-Type: application/json'`;
  const recipients = `{"send":"demo","recipients":[{"email":"robin@example.com"}]}`;
  return `
  Attune runs.

  Open      ${url}/demo/          the demo shop, with a panel that shows what Attune decides
            ${streamed}
            ${url}/api/docs       the API reference
  Keys      pk_demo (write)   sk_demo (secret); accepted by this local start only

  Try       curl -s ${url}/v1/track -u pk_demo: -H 'Content-Type: application/json' \\
              -d '{"anonymousId":"you","event":"Order Completed","properties":{"revenue":640}}'
            curl -s '${url}/api/profiles?anonymousId=you' -H 'Authorization: Bearer sk_demo'

  E-mail    order something in the shop, then fetch the same hero as a mail would:
            token=$(${mail} \\
              -d '${recipients}' | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
            curl -s ${url}/e/$token/hero

  Ctrl-C ends it; what is stored stays in ${relative(process.cwd(), state)}.
`;
}
