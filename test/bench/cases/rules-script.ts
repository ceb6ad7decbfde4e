/** Bytes of the engine in the browser's script. */
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { bundle } from "../../../cli/build.ts";
import type { Case } from "./case.ts";

const BUDGET_BYTES = 2_500;

export const rulesScript: Case = {
  name: "rules-script",
  needsWorkerd: false,
  async run() {
    const script = await bundle(fileURLToPath(new URL("../rules/script.ts", import.meta.url)), "esm", "");
    const brotli = brotliCompressSync(script).length;
    return {
      title: "The engine alone, built as the script is, bytes",
      columns: ["", "raw", "gzip", "brotli"],
      rows: [["compile and the browser's language", script.length, gzipSync(script).length, brotli]],
      notes: ["with the rest of the script around it, it compresses better"],
      goals: [{ name: "engine in the script", value: brotli, unit: "bytes brotli", floor: BUDGET_BYTES, atMost: true }],
    };
  },
};
