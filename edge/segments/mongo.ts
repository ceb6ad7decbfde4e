/**
 * Conditions in the style of MongoDB queries, as GrowthBook's `evalCondition` reads them, imported into Attune's language: with the same
 * meaning for everybody, or not at all. sift and mingo write the same operators, with other meanings in places; it is GrowthBook's
 * that are kept.
 */
import type { Condition } from "../../shared/condition.ts";
import { CONDITION_BYTES, CONDITION_NODES } from "../../shared/limits.ts";
import { escapePointer } from "../../shared/pointer.ts";
import { at, type Formula, toCondition } from "./mongo/formula.ts";
import { isOperators, OPERATORS, type Reader, readConstant } from "./mongo/operators.ts";
import { type ImportError, REFUSALS } from "./mongo/refusals.ts";
import { path } from "./schema/words.ts";
import { checkCondition, unsafeIn } from "./schema.ts";

/** Errors that are told of one condition; more would not help. */
const ERRORS = 100;
/** Stands where an error is. */
const REFUSED: Formula = { all: [] };

/**
 * The Mongo condition as one of Attune's, attributes as paths of traits, or all that keeps it from being one. Total: any JSON has
 * an answer, and a condition that is answered can be saved.
 *
 * @param options.savedGroups id → list of values, or `{type: "list", values}`: for `$inGroup` and `$notInGroup`
 */
export function fromMongo(
  mongo: unknown,
  { savedGroups }: { savedGroups?: unknown } = {},
): { condition: Condition; errors?: never } | { condition?: never; errors: ImportError[] } {
  const errors: ImportError[] = [];
  let values = 0;
  /** Of groups, each as often as it is asked for. */
  let characters = 0;
  const sizes = new Map<unknown[], number>();

  const refuse: Reader["refuse"] = (pointer, code) => {
    if (errors.length < ERRORS) errors.push({ pointer, code, detail: REFUSALS[code] });
    return REFUSED;
  };

  /** @param root something of the kind that the attributes are looked up in */
  const readObject = (asked: unknown, pointer: string, root: object): Formula => {
    if (typeof asked !== "object" || asked === null || Array.isArray(asked)) return refuse(pointer, "condition");
    const parts = Object.entries(asked).map(([key, value]): Formula => {
      const inside = `${pointer}/${escapePointer(key)}`;
      const readList = () =>
        Array.isArray(value)
          ? value.map((child, i) => readObject(child, `${inside}/${i}`, root))
          : [refuse(inside, "list")];
      // Of nothing, GrowthBook says that one holds.
      const readOr = (): Formula => (Array.isArray(value) && value.length === 0 ? { all: [] } : { any: readList() });
      if (key === "$and") return { all: readList() };
      if (key === "$or") return readOr();
      if (key === "$nor") return { not: readOr() };
      if (key === "$not") return { not: readObject(value, inside, root) };
      if (key === "$savedGroup") return refuse(inside, "saved-group");
      if (key.startsWith("$")) return refuse(inside, "operator");
      return isPath(key, root) ? at(key, reader.readValue(value, inside)) : refuse(inside, "path");
    });
    return { all: parts };
  };

  const reader: Reader = {
    refuse,
    readCondition: (asked, pointer) => readObject(asked, pointer, []),
    readValue(asked, pointer) {
      values++;
      if (values > CONDITION_NODES) return values === CONDITION_NODES + 1 ? refuse(pointer, "limit") : REFUSED;
      if (Array.isArray(asked) && asked.length > CONDITION_NODES) return refuse(pointer, "limit");
      if (!isOperators(asked)) return readConstant(asked) ?? refuse(pointer, "object");
      const parts = Object.entries(asked).map(([key, operand]) => {
        const inside = `${pointer}/${escapePointer(key)}`;
        return Object.hasOwn(OPERATORS, key) ? OPERATORS[key]!(operand, inside, reader) : refuse(inside, "operator");
      });
      return { all: parts };
    },
    valuesOf(group) {
      const list = findGroup(savedGroups, group);
      if (!list) return "group";
      if (!sizes.has(list)) sizes.set(list, JSON.stringify(list).length);
      characters += sizes.get(list)!;
      return characters > CONDITION_BYTES ? "limit" : list;
    },
  };

  const unsafe = unsafeIn(mongo);
  if (unsafe) refuse(unsafe.pointer, unsafe.code === "limit" ? "limit" : "path");
  else if (JSON.stringify(mongo ?? null).length > CONDITION_BYTES) refuse("", "limit");
  const formula = errors.length ? REFUSED : readObject(mongo, "", {});
  if (errors.length) return { errors };
  const checked = checkCondition(toCondition(formula));
  if (checked.condition) return checked;
  return { errors: [{ pointer: "", code: "limit", detail: `${REFUSALS.limit} ${checked.errors[0]!.detail}` }] };
}

function findGroup(savedGroups: unknown, group: unknown): unknown[] | undefined {
  if (typeof group !== "string" || typeof savedGroups !== "object" || savedGroups === null) return undefined;
  const saved = Object.hasOwn(savedGroups, group) && (savedGroups as { [id: string]: unknown })[group];
  if (Array.isArray(saved)) return saved;
  const { type, values } = (saved || {}) as { type?: unknown; values?: unknown };
  return type === "list" && Array.isArray(values) ? values : undefined;
}

/** False for what is no path, and for what is found where nobody put it: `in` sees what a list has of its prototype. */
function isPath(key: string, root: object): boolean {
  const [first, ...others] = key.split(".") as [string, ...string[]];
  const isOwn = (name: string, holder: object) => !(name in holder) || Object.hasOwn(holder, name);
  return path.safeParse(key).success && isOwn(first, root) && others.every((name) => isOwn(name, []));
}
