/** Values that a template writes although not everybody has them, and nothing is said for those who have not. */
import type { Template as Node } from "liquidjs";

/** A value without a default: its path, and where it is written. */
export interface Bare {
  path: string;
  line: number;
  column: number;
}

/** Roots under which a value may be missing. */
const ROOTS = ["customer", "context"];

/** What liquidjs makes of `a.b | filter` and of the tags around it, as far as it is looked at. */
interface Parsed {
  token?: { getPosition(): [line: number, column: number] };
  name?: string;
  value?: { initial?: { postfix?: Access[] }; filters?: { name: string }[] };
  arguments?(): Iterable<Access & { initial?: { postfix?: Access[] } }>;
  children?(partials: boolean, sync: boolean): Generator<unknown, Node[], unknown>;
}

/** A path as it is written; of another kind of token there are no props. */
interface Access {
  props?: { content?: unknown }[];
}

/** Of parsed nodes, in order. A value inside a tag that asks for the same one is taken to be there. */
export function findBare(nodes: readonly Node[], asked: readonly string[] = []): Bare[] {
  return (nodes as unknown as Parsed[]).flatMap((node): Bare[] => {
    const paths = (node.value?.initial?.postfix ?? []).map(pathOf);
    const isOutput = node.name === undefined;
    const hasDefault = node.value?.filters?.some(({ name }) => name === "default");
    const [line, column] = node.token?.getPosition() ?? [0, 0];
    const bare =
      isOutput && !hasDefault
        ? paths.filter((path) => ROOTS.includes(path.split(".")[0]!) && !asked.includes(path))
        : [];
    return [
      ...bare.map((path) => ({ path, line, column })),
      ...findBare(childrenOf(node), [...asked, ...mentionedIn(node)]),
    ];
  });
}

/** As far as it is written out: an index may be a value itself. */
function pathOf({ props = [] }: Access): string {
  const end = props.findIndex(({ content }) => typeof content !== "string");
  return props
    .slice(0, end < 0 ? props.length : end)
    .map(({ content }) => content)
    .join(".");
}

function mentionedIn(node: Parsed): string[] {
  if (node.name === undefined) return [];
  return [...(node.arguments?.() ?? [])].flatMap((value) => [value, ...(value.initial?.postfix ?? [])].map(pathOf));
}

/** liquidjs hands them over at the end of a generator. */
function childrenOf(node: Parsed): Node[] {
  const generator = node.children?.(false, true);
  if (!generator) return [];
  let step = generator.next();
  while (!step.done) step = generator.next(step.value);
  return step.value ?? [];
}
