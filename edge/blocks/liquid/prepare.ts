/** Makes of what liquidjs parsed what the dialect means, and refuses what liquidjs lets pass. */
import { Expression, type Token, TokenKind } from "liquidjs";
import { FILTERS, TAGS } from "./dialect.ts";
import { BOUND } from "./interpret.ts";
import {
  childrenOf,
  type FilterArgument,
  type FilterCall,
  type FilteredValue,
  type Node,
  type Operand,
  valueOfArgument,
  visitArgument,
} from "./nodes.ts";

/** A template that is wrong, and where. */
export class DialectError extends Error {
  readonly token: unknown;

  constructor(message: string, token: unknown) {
    super(message);
    this.token = token;
  }
}

/** @throws DialectError */
export function prepare(nodes: readonly Node[]): void {
  for (const node of nodes) {
    if (node.name !== undefined && !TAGS.includes(node.name))
      throw new DialectError(`there is no tag ${node.name}`, node);
    for (const argument of node.arguments?.() ?? []) {
      if (!argument) continue;
      visitArgument(argument, {
        value: (value) => prepareValue(value, node),
        operand: prepareRange,
      });
    }
    prepare(childrenOf(node));
  }
}

function prepareValue({ initial, filters }: FilteredValue, { token }: Node): void {
  let depth = 0;
  for (const { operator } of initial.postfix) {
    if (operator === undefined) depth++;
    else if (operator !== "not") depth--;
    if (depth < 1) throw new DialectError(`${operator} lacks a value`, token);
  }
  if (depth !== 1) throw new DialectError("two values stand side by side", token);
  for (const call of filters) prepareFilter(call, token);
}

function prepareFilter(call: FilterCall, token: unknown): void {
  // The last of an output may be the one that escapes it.
  if (!Object.hasOwn(FILTERS, call.name)) return;
  const { least, most, named = [] } = FILTERS[call.name]!;
  const given = call.args.filter((argument) => !Array.isArray(argument));
  const byName = call.args.filter((argument) => Array.isArray(argument));
  const unknown = byName.find(([name]) => !named.includes(name));
  if (unknown) throw new DialectError(`filter ${call.name} takes no ${unknown[0]}`, token);
  if (given.length < least || given.length > most) {
    const count = least === most ? String(least) : `${least} to ${most}`;
    throw new DialectError(`filter ${call.name} takes ${count} arguments, not ${given.length}`, token);
  }
  const isFraction = call.name === "divided_by" && isWrittenFraction(given[0]!);
  call.args = [...given, ...byName, ...(isFraction ? [["fraction", given[0]] as FilterArgument] : [])];
}

/** `2.0` is 2, and yet meant. */
function isWrittenFraction(argument: FilterArgument): boolean {
  const { kind, input, begin, end } = valueOfArgument(argument)!;
  return kind === TokenKind.Number && input.slice(begin, end).includes(".");
}

/** liquidjs counts from what is written, in steps that far away numbers do not notice. */
function prepareRange(operand: Operand): void {
  if (operand.kind !== TokenKind.Range) return;
  operand.lhs = toBounded(operand.lhs!);
  operand.rhs = toBounded(operand.rhs!);
}

function toBounded(bound: Operand): Operand {
  const initial = new Expression([bound as unknown as Token]) as unknown as FilteredValue["initial"];
  const { begin, end, input } = bound;
  return { kind: TokenKind.FilteredValue, begin, end, input, initial, filters: [{ name: BOUND, args: [] }] };
}
