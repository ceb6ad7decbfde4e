/** Compiles what liquidjs parsed to closures; Workers forbid code that makes code. What it does not know, liquidjs renders. */
import { ALL_FILTERS } from "./dialect.ts";
import { compileOperand, compileValue, NotCompiled, type Read, type Resolve } from "./expressions.ts";
import { Loop, selectItems } from "./loop.ts";
import { childrenOf, type FilteredValue, type Node, type Operand } from "./nodes.ts";
import { equals } from "./operators.ts";
import {
  cutAtQuotes,
  inTurn,
  joinPieces,
  type Piece,
  type Quote,
  toQuotes,
  toWrite,
  type Write,
  writeUrl,
} from "./pieces.ts";
import type { UrlValue } from "./positions.ts";
import type { Leaves } from "./run.ts";
import { isTruthy, toItems, toPlain, toText } from "./values.ts";

export interface Compiled {
  write: Write;
  /** Values that it makes: `run.made` has room for as many. */
  names: number;
  /** It counts in the scope, which must be its own. */
  counts: boolean;
  /** Whether URLs are made harmless as they are written; else those of the whole page have to be. */
  checksUrls: boolean;
}

/** What stands in `run.made` for a name that is not made yet. */
export const UNSET = Symbol("unset");

/** What tags hold, as far as it is compiled. */
interface Parts {
  str: string;
  /** Of `raw`. */
  tokens: { getText(): string }[];
  /** Of `assign`. */
  key: string;
  variable: string;
  value: FilteredValue | undefined;
  templates: Node[];
  elseTemplates: Node[] | undefined;
  branches: { value: FilteredValue; values: Operand[]; templates: Node[] }[];
  collection: Operand & { getText(): string };
  hash: { hash: { [name: string]: Operand | undefined } };
  /** Of `cycle`. */
  candidates: (FilteredValue & { getText(): string })[];
  group: Operand | undefined;
}

/**
 * @param escapeText makes what the page is given of a value's text
 * @param weight steps that a node takes
 * @param urls where URLs stand; null where they cannot be told
 * @returns null where liquidjs has to render the template
 */
export function compile(
  nodes: readonly Node[],
  escapeText: (text: string) => string,
  weight: number,
  urls: readonly UrlValue[] | null,
): Compiled | null {
  try {
    return new Compiler(escapeText, weight, urls).compile(nodes);
  } catch (error) {
    if (error instanceof NotCompiled) return null;
    throw error;
  }
}

class Compiler {
  readonly #escapeText: (text: string) => string;
  readonly #weight: number;
  readonly #urls: readonly UrlValue[];
  readonly #quotes: readonly Quote[];
  #checksUrls: boolean;
  readonly #made = new Map<string, number>();
  /** Of `urls`, those that are looked over. */
  #joined = 0;
  #names = 0;
  #counts = false;

  constructor(escapeText: (text: string) => string, weight: number, urls: readonly UrlValue[] | null) {
    this.#escapeText = escapeText;
    this.#weight = weight;
    this.#urls = urls ?? [];
    this.#checksUrls = urls !== null;
    this.#quotes = toQuotes(this.#urls);
  }

  compile(nodes: readonly Node[]): Compiled {
    this.#nameAll(nodes);
    const write = this.#body(nodes, (name) => this.#outside(name));
    if (this.#joined < this.#urls.length) this.#checksUrls = false;
    return { write, names: this.#names, counts: this.#counts, checksUrls: this.#checksUrls };
  }

  #nameAll(nodes: readonly Node[]): void {
    for (const node of nodes) {
      const { name, key, variable } = node as Node & Parts;
      const made = name === "assign" ? key : name === "capture" ? variable : undefined;
      if (made !== undefined && !this.#made.has(made)) this.#made.set(made, this.#names++);
      this.#nameAll(childrenOf(node));
    }
  }

  /** What the template has made of the name so far, else what the scope has. */
  #outside(name: string): Read {
    const slot = this.#made.get(name);
    const fromScope: Read = ({ scope }) => (Object.hasOwn(scope, name) ? scope[name] : undefined);
    if (slot === undefined) return fromScope;
    return (run) => (run.made[slot] === UNSET ? fromScope(run) : run.made[slot]);
  }

  #body(nodes: readonly Node[], resolve: Resolve): Write {
    const weight = this.#weight;
    const pieces = joinPieces(this.#joinUrls(nodes.flatMap((node) => this.#pieces(node, resolve))));
    const writes = pieces.map(toWrite);
    if (!nodes.some(mayLeave)) return inTurn(writes, weight * (1 + nodes.length));
    return (run) => {
      run.step(weight);
      for (let i = 0; i < writes.length; i++) {
        run.step(pieces[i]!.steps);
        writes[i]!(run);
        if (run.leaves) return;
      }
    };
  }

  #pieces(node: Node, resolve: Resolve): Piece[] {
    const { str, tokens } = node as Node & Parts;
    const steps = this.#weight;
    if (str !== undefined)
      return cutAtQuotes(node, str, this.#quotes).map((piece, i) => ({ ...piece, steps: i ? 0 : steps }));
    if (node.name === "raw") return [{ text: tokens.map((token) => token.getText()).join(""), steps }];
    if (node.name === "comment" || node.name === "#") return [{ text: "", steps }];
    return [{ text: "", write: this.#node(node, resolve), steps, mayLeave: mayLeave(node) }];
  }

  /** Values of URLs become one piece each, which is looked over as a whole. */
  #joinUrls(pieces: readonly Piece[]): Piece[] {
    const joined: Piece[] = [];
    for (let i = 0; i < pieces.length; i++) {
      const { quote, ...piece } = pieces[i]!;
      if (!quote) {
        joined.push(piece);
        continue;
      }
      let end = i + 1;
      while (end < pieces.length && !pieces[end]!.quote && !pieces[end]!.mayLeave) end++;
      const inside = pieces.slice(i + 1, end);
      if (pieces[end]?.quote?.value === quote.value) {
        this.#joined++;
        const steps = inside.reduce((sum, { steps }) => sum + steps, 0);
        joined.push({ text: "", write: writeUrl(joinPieces(inside).map(toWrite), quote.mark), steps });
        i = end;
      } else {
        this.#checksUrls = false;
        joined.push({ ...piece, text: quote.mark });
      }
    }
    return joined;
  }

  #node(node: Node, resolve: Resolve): Write {
    const parts = node as Node & Parts;
    switch (node.name) {
      case undefined:
      case "echo":
        return parts.value ? this.#output(parts.value, resolve) : () => {};
      case "break":
      case "continue": {
        const { name } = node;
        return (run) => {
          run.leaves = name;
        };
      }
      case "assign":
        return this.#assign(parts, resolve);
      case "capture":
        return this.#capture(parts, resolve);
      case "increment":
      case "decrement":
        return this.#count(parts);
      case "if":
      case "unless":
        return this.#branches(parts, node.name === "unless", resolve);
      case "case":
        return this.#case(parts, resolve);
      case "for":
        return this.#for(parts, resolve);
      case "cycle":
        return this.#cycle(parts, resolve);
      case "liquid":
        return this.#body(parts.templates, resolve);
      default:
        throw new NotCompiled();
    }
  }

  #output(value: FilteredValue, resolve: Resolve): Write {
    // liquidjs puts one that escapes after the author's.
    const filters = value.filters.filter(({ name }) => Object.hasOwn(ALL_FILTERS, name));
    const read = compileValue({ initial: value.initial, filters }, resolve);
    if (filters.at(-1) && ALL_FILTERS[filters.at(-1)!.name]!.raw) {
      return (run) => {
        run.out += read(run);
      };
    }
    const escapeText = this.#escapeText;
    return (run) => {
      run.out += escapeText(toText(run, read(run)));
    };
  }

  #assign({ key, value }: Parts, resolve: Resolve): Write {
    const slot = this.#made.get(key)!;
    const read = compileValue(value!, resolve);
    return (run) => {
      run.made[slot] = read(run);
    };
  }

  #capture({ variable, templates }: Parts, resolve: Resolve): Write {
    const slot = this.#made.get(variable)!;
    const write = this.#body(templates, resolve);
    return (run) => {
      const before = run.out;
      run.out = "";
      write(run);
      run.checkOutput();
      run.use(run.out.length);
      run.made[slot] = run.out;
      run.out = before;
    };
  }

  #count({ name, variable }: Node & Parts): Write {
    this.#counts = true;
    const step = name === "increment" ? 1 : -1;
    return (run) => {
      const { scope } = run;
      const before = typeof scope[variable] === "number" ? scope[variable] : 0;
      scope[variable] = before + step;
      run.out += name === "increment" ? before : before - 1;
    };
  }

  #branches({ branches, elseTemplates = [] }: Parts, isUnless: boolean, resolve: Resolve): Write {
    const otherwise = this.#body(elseTemplates, resolve);
    return branches.reduceRight<Write>((next, { value, templates }, index) => {
      const read = compileValue(value, resolve);
      const write = this.#body(templates, resolve);
      const wanted = !(isUnless && index === 0);
      return (run) => (isTruthy(read(run)) === wanted ? write(run) : next(run));
    }, otherwise);
  }

  #case({ value, branches, elseTemplates = [] }: Parts, resolve: Resolve): Write {
    const read = compileValue(value!, resolve);
    const otherwise = this.#body(elseTemplates, resolve);
    const whens = branches.map(({ values, templates }) => ({
      values: values.map((one) => compileOperand(one, resolve)),
      write: this.#body(templates, resolve),
    }));
    return (run) => {
      const wanted = toPlain(read(run));
      let isHit = false;
      for (const { values, write } of whens) {
        for (const value of values) {
          if (!equals(run, wanted, value(run))) continue;
          isHit = true;
          write(run);
          if (run.leaves) return;
        }
      }
      if (!isHit) otherwise(run);
    };
  }

  #for({ variable, collection, hash, templates, elseTemplates = [] }: Parts, resolve: Resolve): Write {
    const read = compileOperand(collection, resolve);
    const [offset, limit, reversed] = ["offset", "limit", "reversed"].map((name) =>
      compileBound(hash.hash, name, resolve),
    );
    const item = this.#names++;
    const loops = this.#names++;
    const write = this.#body(templates, (name) => {
      if (name !== variable && name !== "forloop") return resolve(name);
      const slot = name === variable ? item : loops;
      return ({ made }) => made[slot];
    });
    const otherwise = this.#body(elseTemplates, resolve);
    const name = `${variable}-${collection.getText()}`;
    return (run) => {
      const all = toItems(read(run));
      if (!all.length) {
        otherwise(run);
        return;
      }
      const items = selectItems(all, offset!(run), limit!(run), reversed!(run) !== undefined);
      const loop = new Loop(items.length, name);
      const { made } = run;
      made[loops] = loop;
      for (let i = 0; i < items.length; i++) {
        made[item] = items[i];
        loop.i = i;
        run.leaves = "";
        write(run);
        run.checkOutput();
        if ((run.leaves as Leaves) === "break") break;
      }
      run.leaves = "";
    };
  }

  #cycle({ candidates, group }: Parts, resolve: Resolve): Write {
    if (group && typeof group.content !== "string" && typeof group.content !== "number") throw new NotCompiled();
    const name = `${group?.content}:${candidates.map((one) => one.getText()).join(",")}`;
    const writes = candidates.map((one) => this.#output(one, resolve));
    return (run) => {
      run.cycles ??= new Map();
      const index = run.cycles.get(name) ?? 0;
      run.cycles.set(name, (index + 1) % writes.length);
      writes[index]!(run);
    };
  }
}

/** Of a loop; `continue` is where one ended before, which only liquidjs knows. */
function compileBound(hash: Parts["hash"]["hash"], name: string, resolve: Resolve): Read {
  if (Object.keys(hash).some((key) => !["offset", "limit", "reversed"].includes(key))) throw new NotCompiled();
  if (!Object.hasOwn(hash, name)) return () => undefined;
  const operand = hash[name];
  if (!operand) return () => true;
  return compileOperand(operand, (name) => {
    if (name === "continue") throw new NotCompiled();
    return resolve(name);
  });
}

/** Whether it may end the body that it stands in. */
function mayLeave(node: Node): boolean {
  return node.name === "break" || node.name === "continue" || childrenOf(node).some(mayLeave);
}
