/** What a finding is made of, and how much is missing of a number. */
import type { Operators } from "../condition.ts";
import type { Look } from "./look.ts";
import { denoise, phraseFound, phrasePath } from "./phrase.ts";
import type { Why } from "./types.ts";
import { readPath } from "./value.ts";

/** In words and in data. */
export type Finding = Pick<Why, "actual" | "required" | "missing" | "completeAfter"> & { found?: string };

/** Operands that are traits, as the values that these have. */
export function resolve(operators: Operators, { subject }: Look): Operators {
  const read = (operand: unknown) => {
    const path = readPath(operand, ["trait"]);
    return typeof path === "string" ? readPath(subject.traits, path.split(".")) : operand;
  };
  return Object.fromEntries(
    Object.entries(operators).map(([key, operand]) => [
      key,
      Array.isArray(operand) ? operand.map(read) : read(operand),
    ]),
  );
}

/** How much more a number has to be, negative where it is too much; undefined where neither would help, or nothing is missing. */
export function missingOf(actual: unknown, operators: Operators, isWhole = false): number | undefined {
  if (typeof actual !== "number") return undefined;
  const { eq, gt, gte, lt, lte } = operators as { [key: string]: unknown };
  // The next whole number is what is needed of what is counted.
  const above = numbers(gt).map((bound) => (isWhole ? Math.floor(bound) + 1 : bound));
  const below = numbers(lt).map((bound) => (isWhole ? Math.ceil(bound) - 1 : bound));
  const least = Math.max(...numbers(gte, eq).map((bound) => (isWhole ? Math.ceil(bound) : bound)), ...above);
  const most = Math.min(...numbers(lte, eq).map((bound) => (isWhole ? Math.floor(bound) : bound)), ...below);
  const short = least > actual ? least - actual : most < actual ? most - actual : 0;
  return short ? denoise(short) : undefined;
}

const numbers = (...values: unknown[]) => values.filter((value): value is number => typeof value === "number");

/** What a value is, in words. */
export const phraseFact = (actual: unknown) => (actual === undefined ? "not known" : `it is ${phraseFound(actual)}`);

/** The person's own values that something is compared with. */
export function phraseOwn(operators: object, { subject }: Look): string[] {
  const paths = new Set(
    Object.values(operators)
      .flat()
      .flatMap((operand) => readPath(operand, ["trait"]) ?? []),
  );
  return ([...paths] as string[]).map(
    (path) => `${phrasePath(path)} ${phraseFact(readPath(subject.traits, path.split("."))).replace("it is", "is")}`,
  );
}
