/** The lazy part, `attune.debug.js`: what developers ask, which the script itself does not need to know. */
export { explainAll } from "./explain.ts";
export { readStored } from "./stored.ts";
