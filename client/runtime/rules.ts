/** The lazy part `attune.rules.js`: kinds of rules that few sites have. */
export { browserLanguage } from "../../shared/engine/language.ts";
