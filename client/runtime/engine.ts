/** All that the script takes of the decision engine. Its share of the script's bytes is measured here (cli/build.ts). */
export { compile } from "../../shared/engine/compile.ts";
export { baseLanguage } from "../../shared/engine/language-base.ts";
