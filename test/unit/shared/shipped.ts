/** The browser's program of rules: as its manifest gives them to it. */
import { compile } from "../../../shared/engine/compile.ts";
import { browserLanguage } from "../../../shared/engine/language.ts";
import { ship } from "../../../shared/engine/ship.ts";
import type { CompileOptions, Rule } from "../../../shared/engine/types.ts";

export const shipped = <R extends Rule>(rules: readonly R[]): R[] =>
  rules.map((rule) => ({ ...rule, condition: ship(rule.condition) }));

export const compileShipped = (rules: readonly Rule[], options: CompileOptions) =>
  compile(shipped(rules), options, browserLanguage);
