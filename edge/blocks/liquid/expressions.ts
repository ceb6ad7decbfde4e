/** Compiles values to closures: `a.b | filter: c`. */
import { Drop, TokenKind } from "liquidjs";
import { ALL_FILTERS } from "./dialect.ts";
import {
  type FilterArgument,
  type FilterCall,
  type FilteredValue,
  isPath,
  type Operand,
  valueOfArgument,
} from "./nodes.ts";
import { OPERATORS } from "./operators.ts";
import type { Run } from "./run.ts";
import { readProperty, readRange, take } from "./values.ts";

export type Read = (run: Run) => unknown;

/** What a name stands for where it is written. */
export type Resolve = (name: string) => Read;

/** liquidjs renders the template instead. */
export class NotCompiled extends Error {}

const SPECIAL = new Set(["size", "first", "last"]);

export function compileValue({ initial, filters }: FilteredValue, resolve: Resolve): Read {
  return filters.reduce(
    (input, call) => compileFilter(input, call, resolve),
    compileExpression(initial.postfix, resolve),
  );
}

function compileExpression(postfix: readonly Operand[], resolve: Resolve): Read {
  const stack: Read[] = [];
  for (const operand of postfix) {
    const { operator } = operand;
    if (operator === undefined) stack.push(compileOperand(operand, resolve));
    else {
      const apply = OPERATORS[operator]!;
      const right = stack.pop()!;
      if (operator === "not") stack.push((run) => apply(run, right(run), undefined));
      else {
        const left = stack.pop()!;
        stack.push((run) => apply(run, left(run), right(run)));
      }
    }
  }
  return stack[0]!;
}

export function compileOperand(operand: Operand, resolve: Resolve): Read {
  if (operand.content !== undefined) {
    const { content } = operand;
    return () => content;
  }
  switch (operand.kind) {
    case TokenKind.PropertyAccess:
      return compilePath(operand, resolve);
    case TokenKind.Range:
      return compileRange(operand, resolve);
    case TokenKind.FilteredValue:
      return compileValue(operand as FilteredValue, resolve);
    default:
      throw new NotCompiled();
  }
}

function compilePath({ variable, props = [] }: Operand, resolve: Resolve): Read {
  const [root, ...rest] = variable ? [variable, ...props] : props;
  const isName = typeof root!.content === "string" && !isPath(root!);
  if (!variable && !isName) throw new NotCompiled();
  const start = variable ? compileOperand(variable, resolve) : resolve(root!.content as string);
  return rest.reduce((from, prop) => compileStep(from, prop, resolve), start);
}

function compileStep(from: Read, prop: Operand, resolve: Resolve): Read {
  const { content } = prop;
  if (typeof content === "string" && !SPECIAL.has(content)) {
    return (run) => {
      const value = from(run);
      if (typeof value !== "object" || value === null || value instanceof Drop) return readProperty(value, content);
      return Object.hasOwn(value, content) ? (value as { [name: string]: unknown })[content] : undefined;
    };
  }
  const key = compileOperand(prop, resolve);
  return (run) => readProperty(from(run), key(run));
}

function compileRange({ lhs, rhs }: Operand, resolve: Resolve): Read {
  const low = compileOperand(lhs!, resolve);
  const high = compileOperand(rhs!, resolve);
  return (run) => readRange(run, low(run), high(run));
}

function compileFilter(input: Read, { name, args }: FilterCall, resolve: Resolve): Read {
  const filter = ALL_FILTERS[name];
  if (!filter) throw new NotCompiled();
  const { apply } = filter;
  const reads = args.map((argument) => compileArgument(argument, resolve));
  const [first, second, ...more] = reads;
  if (!first) {
    return (run) => {
      run.use(1);
      return apply(run, take(run, input(run)));
    };
  }
  if (!second) {
    return (run) => {
      run.use(1);
      return apply(run, take(run, input(run)), take(run, first(run)));
    };
  }
  if (!more.length) {
    return (run) => {
      run.use(1);
      return apply(run, take(run, input(run)), take(run, first(run)), take(run, second(run)));
    };
  }
  return (run) => {
    run.use(1);
    return apply(run, take(run, input(run)), ...reads.map((read) => take(run, read(run))));
  };
}

function compileArgument(argument: FilterArgument, resolve: Resolve): Read {
  const operand = valueOfArgument(argument);
  const read = operand ? compileOperand(operand, resolve) : () => undefined;
  if (!Array.isArray(argument)) return read;
  const [name] = argument;
  return (run) => [name, read(run)];
}
