/** What templates look at and is not there: values that nothing puts into their scope, traits that nobody has sent, segments. */
import { phraseValue } from "../../../shared/engine/phrase.ts";
import type { Segment } from "../../db/segments.ts";
import { cut, type Finding } from "../../segments/lint/finding.ts";
import { phraseUnknown } from "../../segments/lint/names.ts";
import { nearest } from "../../segments/schema/nearest.ts";
import { type Path, pathsOf, type Template, type TextTemplate, unknownPathsOf } from "../liquid.ts";

/** What a site's templates may name. */
export interface KnownNames {
  /** Top-level names of traits that somebody has sent; of none nothing is said. */
  traits: readonly string[];
  segments: readonly Pick<Segment, "key" | "status">[];
}

const ROOTS = ["customer", "segment", "cart", "product_recommendations", "context", "site"];
const FIELDS: { readonly [root: string]: readonly string[] } = {
  cart: ["items", "count", "total", "currency"],
  site: ["id", "name", "timeZone"],
};

/** More would help nobody, and each is held against all names. */
const FOUND = 40;

/** Each name once, where it stands first. */
export function lintTemplateNames(template: Template | TextTemplate, known: KnownNames, pointer: string): Finding[] {
  const names = new Map<string, Omit<Finding, "pointer">>();
  for (const { name, ...finding } of findNames(template, known)) {
    if (!names.has(name)) names.set(name, finding);
    if (names.size >= FOUND) break;
  }
  return [...names.values()].map((finding) => ({ ...finding, pointer }));
}

function* findNames(template: Template | TextTemplate, known: KnownNames): Generator<Named> {
  for (const path of unknownPathsOf(template)) yield lintRoot(path, known);
  for (const path of pathsOf(template)) {
    if (path.local) continue;
    const found = lintEmpty(path) ?? lintField(path) ?? lintTrait(path, known) ?? lintSegment(path, known);
    if (found) yield found;
  }
}

type Named = Omit<Finding, "pointer"> & { name: string };

function lintRoot({ path, segments, line, column }: Path, { traits }: KnownNames): Named {
  const root = String(segments[0]);
  // In other tools the person has another name: person.first_name, user.first_name.
  const trait = typeof segments[1] === "string" && !traits.includes(root) ? segments[1] : root;
  const meant = nearest(root, ROOTS);
  const what = meant
    ? `Is ${meant} meant?`
    : `There are ${ROOTS.join(", ")}, and what the template itself assigns; a trait is customer.${cut(trait)}.`;
  const detail = `${cut(path)} (line ${line}, column ${column}) is always empty: there is no ${cut(root)}. ${what}`;
  return { name: root, code: "unknown-variable", severity: "warning", detail };
}

function lintEmpty({ path, segments: [root], line, column }: Path): Named | undefined {
  if (root !== "product_recommendations") return undefined;
  const detail = `${cut(path)} (line ${line}, column ${column}) is empty for everybody: nothing is recommended yet. Say what shows instead.`;
  return { name: root, code: "always-empty", severity: "warning", detail };
}

function lintField({ path, segments: [root, field], line, column }: Path): Named | undefined {
  const fields = typeof root === "string" && Object.hasOwn(FIELDS, root) ? FIELDS[root]! : undefined;
  if (!fields || typeof field !== "string" || fields.includes(field)) return undefined;
  const meant = nearest(field, fields);
  const what = meant ? `Is ${root}.${meant} meant?` : `There are ${fields.join(", ")}.`;
  const detail = `${cut(path)} (line ${line}, column ${column}) is always empty. ${what}`;
  return { name: `${root}.${field}`, code: "unknown-variable", severity: "warning", detail };
}

function lintTrait({ segments: [root, trait], line, column }: Path, { traits }: KnownNames): Named | undefined {
  if (root !== "customer" || typeof trait !== "string" || !traits.length || traits.includes(trait)) return undefined;
  const said = phraseUnknown(`the trait ${phraseValue(cut(trait))}`, trait, traits);
  const detail = `Line ${line}, column ${column}: ${said}`;
  return { name: `customer.${trait}`, code: "unknown-trait", severity: "warning", detail };
}

function lintSegment({ segments: [root, key], line, column }: Path, { segments }: KnownNames): Named | undefined {
  if (root !== "segment" || typeof key !== "string") return undefined;
  const segment = segments.find((segment) => segment.key === key);
  if (segment?.status === "active") return undefined;
  const where = `(line ${line}, column ${column})`;
  if (segment) {
    const detail = `The segment ${key} ${where} is not active, so nobody is in it. Activate it.`;
    return { name: `segment.${key}`, code: "inactive-segment", severity: "warning", detail };
  }
  const keys = segments.filter(({ status }) => status === "active").map(({ key }) => key);
  const meant = nearest(key, keys);
  const what = meant ? `Is ${meant} meant?` : "Check its key.";
  const detail = `There is no segment ${cut(key)} ${where}, so nobody is in it. ${what}`;
  return { name: `segment.${key}`, code: "unknown-segment", severity: "warning", detail };
}
