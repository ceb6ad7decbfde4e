/** Values that a template writes although not everybody has them, and nothing is said for those who have not. */
import { childrenOf, isPath, type Node, type Operand } from "./nodes.ts";

/** A value without a default: its path, and where it is written. */
export interface Bare {
  path: string;
  line: number;
  column: number;
}

/** Roots under which a value may be missing. */
const ROOTS = ["customer", "context"];

/** Of parsed nodes, in order. A value inside a tag that asks for the same one is taken to be there. */
export function findBare(nodes: readonly Node[], asked: readonly string[] = []): Bare[] {
  return nodes.flatMap((node): Bare[] => {
    const isOutput = node.name === undefined;
    const paths = (node.value?.initial.postfix ?? []).map(pathOf);
    const hasDefault = node.value?.filters.some(({ name }) => name === "default");
    const [line, column] = node.token.getPosition();
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
function pathOf(operand: Operand): string {
  const props = isPath(operand) ? operand.props : [];
  const end = props.findIndex(({ content }) => typeof content !== "string");
  return props
    .slice(0, end < 0 ? props.length : end)
    .map(({ content }) => content)
    .join(".");
}

function mentionedIn(node: Node): string[] {
  if (node.name === undefined) return [];
  return [...(node.arguments?.() ?? [])].flatMap((value) =>
    (value?.initial?.postfix ?? [value as Operand]).map(pathOf),
  );
}
