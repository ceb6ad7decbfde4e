/** Bytes of the engine in the browser's script. */
import { measureEngine } from "../../../cli/build.ts";
import type { Case } from "./case.ts";

const BUDGET_BYTES = 2_500;

export const rulesScript: Case = {
  name: "rules-script",
  needsWorkerd: false,
  async run() {
    const { share, alone } = await measureEngine();
    return {
      title: "The engine in the browser's script, brotli bytes",
      columns: ["", "bytes"],
      rows: [
        ["what the script would lose without it", share],
        ["by itself", alone],
      ],
      notes: [],
      goals: [{ name: "engine in the script", value: share, unit: "bytes brotli", floor: BUDGET_BYTES, atMost: true }],
    };
  },
};
