/** All that the script takes of the decision engine. Its share of the script's bytes is measured here (cli/build.ts). */
export { compile } from "../../shared/engine/compile.ts";
export { browserLanguage } from "../../shared/engine/language.ts";
