/** Checks the types of what is shipped and of the command line; those of the tests are `npm run types`'s business. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOT } from "./project.ts";

const PROJECTS = ["shared", "client", "edge", "cli"];
const TSC = fileURLToPath(new URL("../bin/tsc", import.meta.resolve("typescript")));

/** @returns the first complaint; undefined when everything fits. */
export async function findTypeError(): Promise<string | undefined> {
  for (const project of PROJECTS) {
    const complaint = await check(project);
    if (complaint) return complaint;
  }
  return undefined;
}

function check(project: string): Promise<string | undefined> {
  const child = spawn(process.execPath, [TSC, "-p", project], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0 ? undefined : (output.trim().split("\n")[0] ?? "tsc failed")));
  });
}
