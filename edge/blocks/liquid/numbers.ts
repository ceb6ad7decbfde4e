/** Filters on numbers. What is no number is 0. */
import type { Run } from "./run.ts";
import { toNumber } from "./values.ts";

export function plus(_run: Run, value: unknown, more: unknown): number {
  return tidy(toNumber(value) + toNumber(more));
}

export function minus(_run: Run, value: unknown, less: unknown): number {
  return tidy(toNumber(value) - toNumber(less));
}

export function times(_run: Run, value: unknown, by: unknown): number {
  return tidy(toNumber(value) * toNumber(by));
}

/** Whole numbers make a whole number, rounded down, unless one is written as a fraction: `divided_by: 2.0`. */
export function dividedBy(_run: Run, value: unknown, by: unknown, isFraction?: unknown): number {
  const dividend = toNumber(value);
  const divisor = divisorOf(by);
  const isWhole = !isFraction && Number.isInteger(dividend) && Number.isInteger(divisor);
  return isWhole ? Math.floor(dividend / divisor) : tidy(dividend / divisor);
}

/** Of the divisor's sign. */
export function modulo(_run: Run, value: unknown, by: unknown): number {
  const divisor = divisorOf(by);
  return tidy(((toNumber(value) % divisor) + divisor) % divisor);
}

function divisorOf(value: unknown): number {
  const divisor = toNumber(value);
  if (divisor === 0) throw new Error("divided by 0");
  return divisor;
}

/** Of 0.1 + 0.2 what a person means. */
function tidy(number: number): number {
  return Number.isInteger(number) ? number : Number(number.toPrecision(15));
}
