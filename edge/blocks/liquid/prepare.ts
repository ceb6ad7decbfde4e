/** Makes of what liquidjs parsed what the dialect means, and refuses what liquidjs lets pass. */
import { Expression, Filter, type Liquid, type Token, TokenKind } from "liquidjs";
import { BOUND, FILTERS, STYLED, TAGS } from "./dialect.ts";
import {
  childrenOf,
  type FilterArgument,
  type FilterCall,
  type FilteredValue,
  isPath,
  type Node,
  type Operand,
  valueOfArgument,
  visitArgument,
} from "./nodes.ts";
import type { StylePlace } from "./styles.ts";

const PATH_NAMES = 30;

/** A template that is wrong, and where. */
export class DialectError extends Error {
  readonly token: unknown;

  constructor(message: string, token: unknown) {
    super(message);
    this.token = token;
  }
}

/**
 * @param styled values that stand in styles
 * @throws DialectError
 */
export function prepare(nodes: readonly Node[], liquid: Liquid, styled: ReadonlyMap<number, StylePlace>): void {
  for (const node of nodes) {
    const { name, token, branches = [] } = node;
    if (name !== undefined && !TAGS.includes(name)) throw new DialectError(`there is no tag ${name}`, token);
    for (const { content } of node.localScope?.() ?? []) checkName(content, token);
    if (branches.some(({ values }) => values?.length === 0)) throw new DialectError("when lacks a value", token);
    for (const argument of node.arguments?.() ?? []) {
      if (!argument) continue;
      visitArgument(argument, {
        value: (value) => prepareValue(value, node),
        operand: (operand) => prepareOperand(operand, node),
      });
    }
    prepare(childrenOf(node), liquid, styled);
    const place = styled.get(token.begin);
    if (place)
      prepareStyled(
        node,
        new Filter({ name: STYLED[place], args: [] } as never, liquid.filters[STYLED[place]]!, liquid),
      );
  }
}

/** What it writes, and what is written inside it, ends with the filter, in place of the one that escapes. */
function prepareStyled(node: Node, filter: Filter): void {
  const { name, value, candidates = [] } = node;
  const written = (name === undefined || name === "echo") && value ? [value] : candidates;
  for (const { filters } of written) {
    if (filters.at(-1)?.name.startsWith("[")) filters.pop();
    filters.push(filter as unknown as FilterCall);
  }
  for (const child of childrenOf(node)) prepareStyled(child, filter);
}

function checkName(name: unknown, token: unknown): void {
  if (typeof name === "string" && name.startsWith("-")) throw new DialectError(`${name} is no name`, token);
}

function prepareValue({ initial, filters }: FilteredValue, { token }: Node): void {
  let depth = 0;
  for (const { operator } of initial.postfix) {
    if (operator === undefined) depth++;
    else if (operator !== "not") depth--;
    if (depth < 1) throw new DialectError(`${operator} lacks a value`, token);
  }
  if (depth !== 1) throw new DialectError("two values stand side by side", token);
  filters.forEach((call, index) => {
    // The last of an output escapes it.
    if (!call.name.startsWith("[")) prepareFilter(call, index === 0 ? initial.postfix[0] : undefined, token);
  });
}

function prepareFilter(call: FilterCall, input: Operand | undefined, token: unknown): void {
  if (!Object.hasOwn(FILTERS, call.name)) throw new DialectError(`undefined filter: ${call.name}`, token);
  const { least, most, named = [] } = FILTERS[call.name]!;
  const given = call.args.filter((argument) => !Array.isArray(argument));
  const byName = call.args.filter((argument) => Array.isArray(argument));
  const unknown = byName.find(([name]) => !named.includes(name));
  if (unknown) throw new DialectError(`filter ${call.name} takes no ${unknown[0]}`, token);
  if (given.length < least || given.length > most) {
    const count = least === most ? String(least) : `${least} to ${most}`;
    throw new DialectError(`filter ${call.name} takes ${count} arguments, not ${given.length}`, token);
  }
  const written = [input, ...given.map(valueOfArgument)];
  const isFraction = call.name === "divided_by" && written.some((operand) => operand && isWrittenFraction(operand));
  call.args = [...given, ...byName, ...(isFraction ? [["fraction", given[0]] as FilterArgument] : [])];
}

/** `2.0` is 2, and yet meant. */
function isWrittenFraction({ kind, input, begin, end }: Operand): boolean {
  return kind === TokenKind.Number && input.slice(begin, end).includes(".");
}

function prepareOperand(operand: Operand, { token }: Node): void {
  if (operand.props && operand.props.length > PATH_NAMES) throw new DialectError("a path is too long", token);
  if (isPath(operand) && !operand.variable) checkName(operand.props[0]?.content, token);
  if (operand.kind === TokenKind.Range) boundRange(operand);
}

/** liquidjs counts from what is written, in steps that far away numbers do not notice. */
function boundRange(operand: Operand): void {
  operand.lhs = toBounded(operand.lhs!);
  operand.rhs = toBounded(operand.rhs!);
}

function toBounded(bound: Operand): Operand {
  const initial = new Expression([bound as unknown as Token]) as unknown as FilteredValue["initial"];
  const { begin, end, input } = bound;
  return { kind: TokenKind.FilteredValue, begin, end, input, initial, filters: [{ name: BOUND, args: [] }] };
}
