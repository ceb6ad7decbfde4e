/** What may be saved as a condition: strict, so that a typing error is an error and never a silent false. */
import * as z from "zod";
import type { Condition } from "../../shared/condition.ts";
import { kindOf } from "../../shared/engine/run.ts";
import { CONDITION_BYTES, CONDITION_DEPTH, CONDITION_NODES } from "../../shared/limits.ts";
import { escapePointer } from "../../shared/pointer.ts";
import { errorsOf } from "./schema/errors.ts";
import { LEAVES } from "./schema/leaves.ts";
import { nearest } from "./schema/nearest.ts";

export interface ConditionError {
  /** JSON Pointer (RFC 6901) into what was checked. */
  pointer: string;
  code: "type" | "value" | "key" | "missing" | "one-of" | "limit";
  /** What is wrong and what is allowed. */
  detail: string;
}

const GROUPS = ["all", "any", "not"];
/** Levels of JSON in a condition of the greatest depth, with room for the deepest leaf. */
const JSON_DEPTH = 3 * CONDITION_DEPTH;

/** Any condition, for documents; `checkCondition` says better what is wrong. */
export const conditionSchema: z.ZodType<Condition> = z
  .lazy(() =>
    z.union([
      z.strictObject({ all: z.array(conditionSchema) }),
      z.strictObject({ any: z.array(conditionSchema) }),
      z.strictObject({ not: conditionSchema }),
      ...Object.values(LEAVES),
    ]),
  )
  .meta({
    id: "Condition",
    description: "A rule about a person: who belongs to a segment, who sees a variant.",
  }) as never;

/** The language as JSON Schema (draft 2020-12). */
export function conditionJsonSchema() {
  return z.toJSONSchema(conditionSchema);
}

/**
 * The value as a condition, or all that is wrong with it, with pointers that begin with `pointerPrefix`. The condition is the
 * value itself: nothing is added or converted.
 */
export function checkCondition(
  value: unknown,
  pointerPrefix = "",
): { condition: Condition; errors?: never } | { condition?: never; errors: ConditionError[] } {
  let nodes = 0;

  const check = (node: unknown, pointer: string, depth: number): ConditionError[] => {
    if (!isObject(node)) return fault(pointer, "type", "a condition is an object");
    nodes++;
    if (depth > CONDITION_DEPTH) return fault(pointer, "limit", `conditions nest at most ${CONDITION_DEPTH} deep`);
    const kind = kindOf(node as never);
    if (!kind) return checkGroup(node as { [key: string]: unknown }, pointer, depth);
    const schema: z.ZodType = LEAVES[kind as keyof typeof LEAVES] ?? LEAVES.event;
    const { error } = schema.safeParse(node);
    return error ? errorsOf(error, pointer, node) : [];
  };

  const checkGroup = (node: { [key: string]: unknown }, pointer: string, depth: number): ConditionError[] => {
    const keys = Object.keys(node);
    const group = keys.find((key) => GROUPS.includes(key));
    if (!group) {
      const allowed = [...GROUPS, ...Object.keys(LEAVES), "type"];
      const meant = keys.map((key) => nearest(key, allowed)).find(Boolean);
      const hint = meant ? `; did you mean "${meant}"?` : "";
      return fault(pointer, "key", `a condition has one of ${allowed.join(", ")}${hint}`);
    }
    const strangers = keys
      .filter((key) => key !== group)
      .flatMap((key) => fault(`${pointer}/${escapePointer(key)}`, "key", `"${group}" stands alone in its object`));
    const inside = `${pointer}/${group}`;
    const children = node[group];
    if (group === "not") return [...strangers, ...check(children, inside, depth + 1)];
    if (!Array.isArray(children))
      return [...strangers, ...fault(inside, "type", `"${group}" takes a list of conditions`)];
    return [...strangers, ...children.flatMap((child, i) => check(child, `${inside}/${i}`, depth + 1))];
  };

  const unsafe = unsafeIn(value);
  if (unsafe) return { errors: [{ ...unsafe, pointer: pointerPrefix + unsafe.pointer }] };
  const errors = check(value, pointerPrefix, 1);
  if (nodes > CONDITION_NODES)
    errors.push(...fault(pointerPrefix, "limit", `${nodes} conditions; at most ${CONDITION_NODES}`));
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  if (bytes > CONDITION_BYTES)
    errors.push(...fault(pointerPrefix, "limit", `${bytes} bytes; at most ${CONDITION_BYTES}`));
  return errors.length ? { errors } : { condition: value as Condition };
}

const fault = (pointer: string, code: ConditionError["code"], detail: string): ConditionError[] => [
  { pointer, code, detail },
];

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What has to be refused before anything walks down: JSON of any depth, and the one key that zod passes over in silence. */
export function unsafeIn(value: unknown): ConditionError | undefined {
  const open: { value: unknown; pointer: string; depth: number }[] = [{ value, pointer: "", depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { pointer, depth } = next;
    if (typeof next.value !== "object" || next.value === null) continue;
    if (depth > JSON_DEPTH)
      return { pointer, code: "limit", detail: `conditions nest at most ${CONDITION_DEPTH} deep` };
    for (const [key, child] of Object.entries(next.value)) {
      const inside = `${pointer}/${escapePointer(key)}`;
      if (key === "__proto__") return { pointer: inside, code: "key", detail: `"__proto__" is not a name` };
      open.push({ value: child, pointer: inside, depth: depth + 1 });
    }
  }
  return undefined;
}
