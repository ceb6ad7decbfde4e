/** Loops: what they go over, and `forloop`, which says where one is. */
import { Drop } from "liquidjs";
import { toPlain } from "./values.ts";

export class Loop extends Drop {
  i = 0;
  readonly length: number;
  readonly name: string;

  constructor(length: number, name: string) {
    super();
    this.length = length;
    this.name = name;
  }

  index(): number {
    return this.i + 1;
  }

  index0(): number {
    return this.i;
  }

  first(): boolean {
    return this.i === 0;
  }

  last(): boolean {
    return this.i === this.length - 1;
  }

  rindex(): number {
    return this.length - this.i;
  }

  rindex0(): number {
    return this.length - this.i - 1;
  }

  override valueOf(): string {
    return JSON.stringify(this);
  }
}

/** `limit` and `offset` as they were given: undefined where they were not, or stand for nothing. */
export function selectItems(
  items: readonly unknown[],
  offset: unknown,
  limit: unknown,
  isReversed: boolean,
): readonly unknown[] {
  const from = toCount(offset) ?? 0;
  const count = toCount(limit);
  const selected = from === 0 && count === undefined ? items : items.slice(from).slice(0, count);
  return isReversed ? selected.toReversed() : selected;
}

export function toCount(value: unknown): number | undefined {
  const plain = toPlain(value);
  if (plain === undefined || plain === null) return undefined;
  const number = typeof plain === "string" && plain.trim() !== "" ? Number(plain) : plain;
  if (typeof number !== "number" || Number.isNaN(number)) throw new Error("limit and offset take numbers");
  return Math.trunc(number);
}
