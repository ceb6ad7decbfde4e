/** From zod's issues to errors with JSON Pointers, each a sentence that says what is allowed. */
import type * as z from "zod";
import { escapePointer } from "../../../shared/pointer.ts";
import type { ConditionError } from "../schema.ts";
import { LEAVES } from "./leaves.ts";
import { nearest } from "./nearest.ts";
import { OPERATORS } from "./operators.ts";

type Issue = z.core.$ZodIssue;

/** The errors of one leaf that lies at `pointer`; of several about one place the first, which is the most basic. */
export function errorsOf(error: z.ZodError, pointer: string, leaf: unknown): ConditionError[] {
  const unknown = error.issues.flatMap((issue) => (issue.code === "unrecognized_keys" ? [issue] : []));
  const errors = error.issues.flatMap((issue): ConditionError[] => {
    const at = pointer + issue.path.map((key) => `/${escapePointer(key)}`).join("");
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, at, issue, leaf));
    // What a misspelt key lacks is said by the misspelling.
    if (issue.code === "custom" && unknown.some(({ path }) => path.join() === issue.path.join())) return [];
    return [{ pointer: at, code: codeOf(issue, leaf), detail: detailOf(issue, leaf) }];
  });
  return errors.filter((one, i) => errors.findIndex(({ pointer }) => pointer === one.pointer) === i);
}

const TYPES: { readonly [type: string]: string } = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list of two",
  object: "an object",
  record: "an object",
};

function detailOf(issue: Issue, leaf: unknown): string {
  const last = String(issue.path.at(-1) ?? "");
  if (issue.code === "invalid_type") {
    const expected = TYPES[issue.expected] ?? issue.expected;
    return valueAt(leaf, issue.path) === undefined ? `"${last}" is missing: ${expected}` : `"${last}" is ${expected}`;
  }
  if (issue.code === "invalid_value") return `one of ${issue.values.join(", ")}`;
  if (issue.code === "too_small" || issue.code === "too_big") {
    const [word, bound] = issue.code === "too_small" ? ["at least", issue.minimum] : ["at most", issue.maximum];
    const unit = issue.origin === "string" ? " characters" : issue.origin === "array" ? " elements" : "";
    return `"${last}" has ${word} ${bound}${unit}`;
  }
  return (issue.code === "invalid_key" && issue.issues[0]?.message) || issue.message;
}

function unknownKey(key: string, pointer: string, { path }: Issue, leaf: unknown): ConditionError {
  const allowed = path.length ? OPERATORS : keysOf(leaf);
  const meant = nearest(key, allowed) ?? nearest(key, [...OPERATORS]);
  return {
    pointer: `${pointer}/${escapePointer(key)}`,
    code: "key",
    detail: `unknown key "${key}"${meant ? `; did you mean "${meant}"?` : `; allowed here: ${allowed.join(", ")}`}`,
  };
}

/** The keys that a leaf may have. */
function keysOf(leaf: unknown): string[] {
  const kind = Object.keys(LEAVES).find((key) => Object.hasOwn(leaf as object, key)) ?? "event";
  return Object.keys(LEAVES[kind as keyof typeof LEAVES].shape);
}

function codeOf(issue: Issue, leaf: unknown): ConditionError["code"] {
  switch (issue.code) {
    case "invalid_type":
      return valueAt(leaf, issue.path) === undefined ? "missing" : "type";
    case "invalid_value":
      return "one-of";
    case "invalid_union":
      return "type";
    case "too_big":
    case "too_small":
      return "limit";
    default:
      return "value";
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as { [key: PropertyKey]: unknown } | undefined)?.[key], value);
}
