/** Loops whose turns alone are more steps than a rendering has, as far as their ranges are written out. */
import { TokenKind } from "liquidjs";
import { childrenOf, type Node, type Operand } from "./nodes.ts";
import { STEPS } from "./run.ts";
import { toBound } from "./values.ts";

export interface Endless {
  /** Times that what stands in it would be written. */
  turns: number;
  line: number;
  column: number;
}

/** Of a loop, as liquidjs keeps it. */
interface Parts {
  collection: Operand;
  hash?: { hash: { [name: string]: Operand | undefined } };
  args?: { hash: { [name: string]: Operand | undefined } };
}

/** The outermost that are, in order: what may be left before its end is none. */
export function findEndless(nodes: readonly Node[], around = 1): Endless[] {
  return nodes.flatMap((node): Endless[] => {
    const turns = around * turnsOf(node);
    if (turns <= STEPS) return findEndless(childrenOf(node), turns);
    const [line, column] = node.token.getPosition();
    return [{ turns, line, column }];
  });
}

/** At least; 1 where it is not known. */
function turnsOf(node: Node): number {
  const { collection, hash, args } = node as Node & Parts;
  if (collection?.kind !== TokenKind.Range || mayBreak(childrenOf(node))) return 1;
  const bounds = Object.entries((hash ?? args)?.hash ?? {});
  if (bounds.some(([name]) => name === "limit" || name === "offset")) return 1;
  const [from, to] = [collection.lhs, collection.rhs].map((operand) => numberOf(operand!));
  return from === undefined || to === undefined ? 1 : Math.max(to - from + 1, 1);
}

/** Of a bound, which `prepare` has wrapped. */
function numberOf({ content, initial }: Operand): number | undefined {
  const written = content ?? initial?.postfix[0]?.content;
  return typeof written === "number" ? toBound(written) : undefined;
}

function mayBreak(nodes: readonly Node[]): boolean {
  return nodes.some((node) => node.name === "break" || mayBreak(childrenOf(node)));
}
