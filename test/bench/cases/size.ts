/** Bytes of the browser script as they travel. */

import { readFile } from "node:fs/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "../../../cli/build.ts";
import type { Case } from "./case.ts";

const BUDGET_BYTES = 8_192;

export const size: Case = {
  name: "size",
  needsWorkerd: false,
  async run() {
    const { folder } = await build();
    const script = await readFile(`${folder}/attune.js`);
    const brotli = brotliCompressSync(script).length;
    return {
      title: "Script, bytes",
      columns: ["file", "raw", "gzip", "brotli"],
      rows: [["attune.js", script.length, gzipSync(script).length, brotli]],
      notes: [
        "others, brotli: uniform context 9,600 · growthbook 13,200 · segment 28,500 · ninetailed 42,600 · posthog 106,000",
      ],
      goals: [{ name: "script", value: brotli, unit: "bytes brotli", floor: BUDGET_BYTES, atMost: true }],
    };
  },
};
