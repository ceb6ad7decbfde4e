/** All that the browser's script takes of the engine. */
export { compile } from "../../../shared/engine/compile.ts";
export { browserLanguage } from "../../../shared/engine/language.ts";
