/** What a deployment needs in a Cloudflare account besides the Worker: log-in, database, namespace, secrets. */
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { Failure } from "./project.ts";
import { readCause, type WranglerResult } from "./wrangler.ts";

/** Runs one wrangler command to its end. */
export type Run = (args: string[]) => Promise<WranglerResult>;

const SECRETS = ["ATTUNE_SECRET", "ATTUNE_ADMIN_TOKEN"];
/** Of both the database and the namespace. */
const NAME = "attune";

/** Runs one step under a title and answers what it printed. @throws {Failure} the cause, and what to do. */
export async function step(run: Run, title: string, args: string[], advice: string): Promise<WranglerResult> {
  process.stdout.write(`${title} …\n`);
  const result = await run(args);
  if (result.code !== 0) throw new Failure(`${title} failed: ${readCause(result.output)} – ${advice}.`);
  return result;
}

export async function isLoggedIn(run: Run): Promise<boolean> {
  const { output } = await run(["whoami"]);
  return !/not authenticated|not logged in/i.test(output);
}

/** Where wrangler.toml still has the zeros of a fresh checkout: finds or creates the D1 database, and writes its id. */
export async function provideDatabase(run: Run, config: string): Promise<void> {
  if (!lacksDatabase(await readFile(config, "utf8"))) return;
  const find = async () => {
    const { stdout } = await step(run, "Looking for the D1 database", ["d1", "list", "--json"], ACCESS);
    return readList<{ name: string; uuid: string }>(stdout).find(({ name }) => name === NAME)?.uuid;
  };
  const id = await findOrCreate(find, () => step(run, "Creating the D1 database", ["d1", "create", NAME], ACCESS));
  await changeConfig(config, (text) => setDatabaseId(text, id));
}

/** The same for the KV namespace. */
export async function provideNamespace(run: Run, config: string): Promise<void> {
  if (!lacksNamespace(await readFile(config, "utf8"))) return;
  const find = async () => {
    const { stdout } = await step(run, "Looking for the KV namespace", ["kv", "namespace", "list"], ACCESS);
    return readList<{ title: string; id: string }>(stdout).find(({ title }) => title === NAME)?.id;
  };
  const id = await findOrCreate(find, () =>
    step(run, "Creating the KV namespace", ["kv", "namespace", "create", NAME], ACCESS),
  );
  await changeConfig(config, (text) => setNamespaceId(text, id));
}

const ACCESS = "check that your log-in or token may edit Workers, D1 and KV";

/**
 * New values for the secrets that the Worker does not have.
 * @throws {Failure} when it cannot be told: replacing a secret that is there would void every token that it signed.
 */
export async function makeMissingSecrets(run: Run): Promise<{ [name: string]: string }> {
  const { code, stdout, output } = await run(["secret", "list", "--format", "json"]);
  // 10007: the Worker does not exist yet.
  if (code !== 0 && !/10007|does not exist|Worker "?[^"]*"? not found/i.test(output)) {
    throw new Failure(`Listing the secrets failed: ${readCause(output)} – run \`npm run deploy\` again.`);
  }
  const present = code === 0 ? readList<{ name: string }>(stdout).map(({ name }) => name) : [];
  const missing = SECRETS.filter((name) => !present.includes(name));
  return Object.fromEntries(missing.map((name) => [name, randomBytes(32).toString("base64url")]));
}

/** The ids of a fresh checkout are all zeros. */
export const lacksDatabase = (config: string): boolean => /^database_id = "0{8}-/m.test(config);
export const lacksNamespace = (config: string): boolean => /^id = "0{32}"/m.test(config);

export function setDatabaseId(config: string, id: string): string {
  return config.replace(/^database_id = .*$/m, `database_id = "${id}"`);
}

export function setNamespaceId(config: string, id: string): string {
  return config.replace(/^id = .*$/m, `id = "${id}"`);
}

async function findOrCreate(find: () => Promise<string | undefined>, create: () => Promise<unknown>): Promise<string> {
  const known = await find();
  if (known) return known;
  await create();
  const id = await find();
  if (!id) throw new Failure("It was created, but is not listed yet: run `npm run deploy` again.");
  return id;
}

async function changeConfig(path: string, change: (config: string) => string): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, change(await readFile(path, "utf8")));
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  process.stdout.write("wrangler.toml now has its id; commit that.\n");
}

/** The list in what wrangler printed, whatever stands before it. @throws {Failure} */
function readList<T>(text: string): T[] {
  try {
    const list: unknown = JSON.parse(text.slice(text.indexOf("[")));
    if (Array.isArray(list)) return list;
  } catch {
    // said below
  }
  throw new Failure(`wrangler printed no list: ${readCause(text)}.`);
}
