/** Runs the type checks of package.json's `types`, and answers with the first complaint. */
import { spawn } from "node:child_process";
import { ROOT } from "./project.ts";

/** @returns the first complaint; undefined when everything fits. */
export function runTypes(): Promise<string | undefined> {
  const child = spawn("npm", ["run", "--silent", "types"], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0 ? undefined : (output.trim().split("\n")[0] ?? "tsc failed")));
  });
}
