/** Every value that a template looks at, and where. */
import { TokenKind } from "liquidjs";
import {
  childrenOf,
  type FilterArgument,
  type FilteredValue,
  isPath,
  type Node,
  type Operand,
  visitArgument,
} from "./nodes.ts";

/** What is put into every template's scope. */
const ROOTS = ["customer", "segment", "cart", "product_recommendations", "context", "site"];

export interface Path {
  /** As one would write it: `customer.plan`, `cart.items[0].name`, `segment["big spender"]`; `[…]` where a value says which. */
  path: string;
  /** The same in pieces; null where a value says which. */
  segments: (string | number | null)[];
  /** The template itself makes what its first piece names: `assign`, `for` and the like. */
  local: boolean;
  line: number;
  column: number;
}

/** A filter, what it is put on, and what it is given. */
export interface FilterUse {
  name: string;
  /** Null where it is not one operand alone: an operation, or what another filter made. */
  input: Operand | null;
  args: FilterArgument[];
}

export interface Uses {
  /** In the order in which they stand in the template. */
  paths: Path[];
  filters: FilterUse[];
}

/** Of names that neither the scope nor the template itself has. */
export function unknownOf({ paths }: Uses): Path[] {
  return paths.filter(({ local, segments: [root] }) => !local && typeof root === "string" && !ROOTS.includes(root));
}

export function readUses(nodes: readonly Node[], source: string): Uses {
  const made = new Set(namesMadeIn(nodes));
  const lines = lineStarts(source);
  const paths: (Path & { begin: number })[] = [];
  const filters: FilterUse[] = [];
  visit(nodes, []);
  return { paths: paths.sort((a, b) => a.begin - b.begin).map(({ begin, ...path }) => path), filters };

  function visit(nodes: readonly Node[], loops: readonly string[]): void {
    for (const node of nodes) {
      // `{% for a in b offset: continue %}`
      const own = node.name === "for" ? [...loops, "continue"] : loops;
      for (const argument of node.arguments?.() ?? []) {
        if (argument) visitArgument(argument, { value: addFilters, operand: (operand) => addPath(operand, own) });
      }
      visit(childrenOf(node), node.blockScope ? [...loops, ...node.blockScope()] : loops);
    }
  }

  function addFilters({ initial, filters: calls }: FilteredValue): void {
    const [only, ...more] = initial.postfix;
    calls.forEach(({ name, args }, index) => {
      filters.push({ name, args, input: index === 0 && more.length === 0 ? (only ?? null) : null });
    });
  }

  function addPath(operand: Operand, loops: readonly string[]): void {
    if (!isPath(operand) || operand.variable) return;
    const segments = operand.props.map(segmentOf);
    const [root] = segments;
    const local = typeof root === "string" && (made.has(root) || loops.includes(root));
    paths.push({ path: toText(segments), segments, local, ...positionOf(operand.begin), begin: operand.begin });
  }

  function positionOf(at: number): { line: number; column: number } {
    let low = 0;
    let high = lines.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (lines[middle]! <= at) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: at - lines[low]! + 1 };
  }
}

function* namesMadeIn(nodes: readonly Node[]): Generator<string> {
  for (const node of nodes) {
    for (const { content } of node.localScope?.() ?? []) yield content;
    yield* namesMadeIn(childrenOf(node));
  }
}

function segmentOf({ kind, content }: Operand): string | number | null {
  const isWritten = kind === TokenKind.Word || kind === TokenKind.Quoted || kind === TokenKind.Number;
  return isWritten ? (content as string | number) : null;
}

function toText([root, ...segments]: readonly (string | number | null)[]): string {
  const rest = segments.map((segment) => {
    if (segment === null) return "[…]";
    return typeof segment === "string" && /^[a-z_][\w-]*$/i.test(segment)
      ? `.${segment}`
      : `[${JSON.stringify(segment)}]`;
  });
  return `${root ?? "[…]"}${rest.join("")}`;
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
