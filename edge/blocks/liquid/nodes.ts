/** What liquidjs parses, as far as the analyses and the compiler look at it. */
import { type Template, TokenKind } from "liquidjs";

/** A part of a value as it is written. */
export interface Operand {
  kind: number;
  /** Where it stands in `input`, which is the whole template. */
  begin: number;
  end: number;
  input: string;
  /** Of a literal, a number, a string, a name. */
  content?: unknown;
  /** Of a path: names and indexes; where `variable` is missing the first is the root. */
  props?: Operand[];
  variable?: Operand;
  /** Of a range. */
  lhs?: Operand;
  rhs?: Operand;
  /** Of an operator. */
  operator?: string;
  /** Of a value with filters inside a tag. */
  initial?: { postfix: Operand[] };
  filters?: FilterCall[];
}

/** `[name, value]` where it was given by name. */
export type FilterArgument = Operand | [name: string, value: Operand | undefined];

export interface FilterCall {
  name: string;
  args: FilterArgument[];
}

/** `a.b | filter: c`: operands and operators in the order in which a stack takes them. */
export interface FilteredValue {
  initial: { postfix: Operand[] };
  filters: FilterCall[];
}

/** A tag, an output, or a piece of the page. */
export interface Node {
  /** `trimLeft`: characters of a piece of the page that are not written. */
  token: { begin: number; end: number; trimLeft: number; input: string; getPosition(): [line: number, column: number] };
  /** Of a tag. */
  name?: string;
  /** Of an output, and of tags like `echo`. */
  value?: FilteredValue;
  /** Of a `cycle`. */
  candidates?: FilteredValue[];
  /** Of a `case` with values. */
  branches?: { values?: Operand[] }[];
  /** `reversed` of a loop has no value. */
  arguments?(): Iterable<Operand | FilteredValue | undefined>;
  children?(partials: boolean, sync: boolean): Generator<unknown, Node[], unknown>;
  /** Names that it makes for what follows, and for what stands in it. */
  localScope?(): Iterable<{ content: string }>;
  blockScope?(): Iterable<string>;
}

/** liquidjs types fewer of them, and some as private. */
export function nodesOf(templates: readonly Template[]): readonly Node[] {
  return templates as unknown as Node[];
}

/** liquidjs hands them over at the end of a generator. */
export function childrenOf(node: Node): readonly Node[] {
  const generator = node.children?.(false, true);
  if (!generator) return [];
  let step = generator.next();
  while (!step.done) step = generator.next(step.value);
  return step.value ?? [];
}

export function isPath(operand: Operand): operand is Operand & { props: Operand[] } {
  return operand.kind === TokenKind.PropertyAccess;
}

/** The value of an argument, however it was given. */
export function valueOfArgument(argument: FilterArgument): Operand | undefined {
  return Array.isArray(argument) ? argument[1] : argument;
}

interface Visitor {
  value?(value: FilteredValue): void;
  operand?(operand: Operand): void;
}

/** Of what a tag or an output is given: everything inside, outer parts first. */
export function visitArgument(argument: Operand | FilteredValue, visitor: Visitor): void {
  if (argument.initial) visitValue(argument as FilteredValue, visitor);
  else visitOperand(argument as Operand, visitor);
}

function visitValue(value: FilteredValue, visitor: Visitor): void {
  visitor.value?.(value);
  for (const operand of value.initial.postfix) visitArgument(operand, visitor);
  for (const argument of value.filters.flatMap(({ args }) => args.map(valueOfArgument))) {
    if (argument) visitArgument(argument, visitor);
  }
}

function visitOperand(operand: Operand, visitor: Visitor): void {
  const { lhs, rhs, variable, props = [] } = operand;
  visitor.operand?.(operand);
  for (const part of [lhs, rhs, variable, ...props]) if (part) visitArgument(part, visitor);
}

/** Characters that a node may be long for one step. */
const STEP_LENGTH = 250;

/** How many steps a node takes: as many as the longest output or tag needs, for each may look at as many values as fit in. */
export function weightOf(nodes: readonly Node[]): number {
  return nodes.reduce((most, node) => Math.max(most, weightOfNode(node)), 1);
}

function weightOfNode(node: Node): number {
  const { begin, end } = node.token;
  const isLong = node.arguments !== undefined;
  return Math.max(isLong ? Math.ceil((end - begin) / STEP_LENGTH) : 1, weightOf(childrenOf(node)));
}
