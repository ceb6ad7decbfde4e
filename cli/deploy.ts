/** `npm run deploy`: from a checkout to a running Worker in one's own Cloudflare account. Each step that fails says what to do. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLoggedIn, makeMissingSecrets, provideDatabase, provideNamespace, type Run, step } from "./account.ts";
import { build } from "./build.ts";
import { readOptions } from "./options.ts";
import { Failure, PRESS_CONFIG, ROOT } from "./project.ts";
import { findTypeError } from "./types.ts";
import { runWrangler, spawnWrangler } from "./wrangler.ts";

/** Not dist/assets: a local start may be serving that, with the demo in it. */
const RELEASE = `${ROOT}dist/release`;
/** Of the first Worker: what answers people starts within milliseconds. */
const WORKER_KIB = 1_000;

export async function deploy(args: string[]): Promise<number> {
  const { values } = readOptions(args, { "dry-run": { type: "boolean" } });
  if (!values["dry-run"] && process.env["npm_config_dry_run"] === "true") {
    throw new Failure("npm kept --dry-run for itself: write `npm run deploy -- --dry-run`.", 2);
  }
  if (!values["dry-run"]) await logIn(runWrangler);
  await checkTypes();
  if (values["dry-run"]) await dryRun(runWrangler);
  else await release(runWrangler, `${ROOT}wrangler.toml`);
  return 0;
}

/** All that needs no account. */
async function dryRun(run: Run): Promise<void> {
  await buildRelease();
  const size = await bundle(run, "Worker", ["--outdir", `${ROOT}dist/worker`, "--assets", RELEASE]);
  const press = await bundle(run, "press", ["--outdir", `${ROOT}dist/press`, "-c", PRESS_CONFIG]);
  say(`Worker: ${size} gzip, its press: ${press} (the platform's limit for each: 3 MiB on Free, 10 MiB on Paid).`);
  if (!fitsWorker(size))
    throw new Failure(`The Worker is larger than ${WORKER_KIB} KiB: what is heavy belongs to the press.`);
  say("Nothing was deployed. `npm run deploy` does the rest.");
}

/** @returns its gzip size as wrangler prints it */
async function bundle(run: Run, name: string, args: string[]): Promise<string> {
  const { output } = await step(run, `Bundling the ${name}`, ["deploy", "--dry-run", ...args], "mend that first");
  const size = readGzipSize(output);
  if (!size) throw new Failure(`wrangler printed no size for the ${name}: its output has changed.`);
  return size;
}

/** @param size as wrangler prints it */
export function fitsWorker(size: string): boolean {
  const [amount, unit] = size.split(" ");
  return unit === "KiB" && Number(amount) <= WORKER_KIB;
}

/**
 * Every step may be repeated: what is there already is found, not made again.
 * @param config path of the wrangler.toml that gets the ids.
 */
export async function release(run: Run, config: string): Promise<void> {
  await provideDatabase(run, config);
  await provideNamespace(run, config);
  await buildRelease();
  await step(
    run,
    "Applying the D1 migrations",
    ["d1", "migrations", "apply", "attune", "--remote"],
    "mend the cause and run `npm run deploy` again: migrations that are applied stay applied",
  );
  // Before the Worker that is bound to it.
  const press = await step(
    run,
    "Deploying the press",
    ["deploy", "-c", PRESS_CONFIG],
    "nothing of the new version is live",
  );
  const secrets = await makeMissingSecrets(run);
  const { output } = await withSecretsFile(secrets, (file) =>
    step(run, "Deploying", ["deploy", "--assets", RELEASE, ...file], "nothing but its press is live"),
  );
  const url = /https:\/\/[^\s]+\.workers\.dev/.exec(output)?.[0] ?? "https://<your Worker>";
  const sizes = [output, press.output].map(readGzipSize);
  say(`\nDeployed (${sizes[0]} gzip, its press ${sizes[1]}): ${url}`);
  if (secrets["ATTUNE_ADMIN_TOKEN"]) {
    say(`\nThe admin token, shown this once; keep it where you keep passwords:\n  ${secrets["ATTUNE_ADMIN_TOKEN"]}`);
  }
  say(`\nNext, your first site:\n  ATTUNE_ADMIN_TOKEN=… npm run attune -- site create shop.example --url ${url}`);
}

async function logIn(run: Run): Promise<void> {
  if (await isLoggedIn(run)) return;
  const how = "run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID)";
  if (!process.stdin.isTTY) throw new Failure(`You are not logged in to Cloudflare: ${how}.`);
  say("You are not logged in to Cloudflare: opening the log-in …");
  const child = spawnWrangler(["login"], { interactive: true });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Failure(`The log-in did not finish: ${how}.`);
}

async function checkTypes(): Promise<void> {
  say("Checking types …");
  const complaint = await findTypeError();
  if (complaint) throw new Failure(`The types do not fit: ${complaint} (all of them: \`npm run types\`).`);
}

async function buildRelease(): Promise<void> {
  say("Building the script …");
  await build({ folder: RELEASE, log: say });
}

/** In a file that only we can read, and only as long as it is needed; an argument list is for everybody to see. */
async function withSecretsFile<T>(
  secrets: { [name: string]: string },
  work: (args: string[]) => Promise<T>,
): Promise<T> {
  if (Object.keys(secrets).length === 0) return work([]);
  const folder = await mkdtemp(join(tmpdir(), "attune-deploy-"));
  try {
    const file = join(folder, "secrets.json");
    await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
    return await work(["--secrets-file", file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** wrangler prints `Total Upload: 812.34 KiB / gzip: 190.12 KiB`. */
export function readGzipSize(output: string): string | undefined {
  return /gzip:\s*([\d.]+ \w+)/.exec(output)?.[1];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
