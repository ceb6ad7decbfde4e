/** Tags of the dialect that liquidjs does not have, or has otherwise; as liquidjs renders them. */
import {
  CaptureTag,
  CaseTag,
  type Context,
  type Emitter,
  evalToken,
  ForTag,
  type Liquid,
  type Parser,
  TablerowTag,
  Tag,
  type TagToken,
  type Template,
  type Token,
  type TopLevelToken,
  type Value,
} from "liquidjs";
import { RunEmitter, runOf } from "./context.ts";
import { Loop, selectItems, toCount } from "./loop.ts";
import { equals } from "./operators.ts";
import { toItems, toPlain } from "./values.ts";

type Rendering = Generator<unknown, void, unknown>;

/** What is written meanwhile is kept from the page, and counts. */
function* capture(liquid: Liquid, templates: Template[], context: Context): Generator<unknown, string, unknown> {
  const run = runOf(context);
  const before = run.out;
  run.out = "";
  yield liquid.renderer.renderTemplates(templates, context, new RunEmitter(run));
  const text = run.out;
  run.out = before;
  run.use(text.length);
  return text;
}

export class BoundedCapture extends CaptureTag {
  override *render(context: Context): Rendering {
    (context.bottom() as { [name: string]: unknown })[this.variable] = yield* capture(
      this.liquid,
      this.templates,
      context,
    );
  }
}

/** Bounds are numbers, and what goes on where another loop ended knows where that was. */
export class BoundedFor extends ForTag {
  override *render(context: Context, emitter: Emitter): Rendering {
    const { renderer } = this.liquid;
    const all = toItems(yield evalToken(this.collection as Token, context));
    if (!all.length) {
      yield renderer.renderTemplates(this.elseTemplates, context, emitter);
      return;
    }
    const name = `${this.variable}-${this.collection.getText()}`;
    const register = `continue-${name}`;
    context.push({ continue: context.getRegister(register) });
    const { offset, limit, reversed } = (yield this.hash.render(context)) as { [name: string]: unknown };
    context.pop();
    const items = selectItems(all, offset, limit, reversed !== undefined);
    context.setRegister(register, ((toCount(offset) ?? 0) + items.length) as never);
    const loop = new Loop(items.length, name);
    const scope: { [name: string]: unknown } = Object.assign(Object.create(null), { forloop: loop });
    context.push(scope);
    for (const item of items) {
      scope[this.variable] = item;
      context.continueCalled = context.breakCalled = false;
      yield renderer.renderTemplates(this.templates, context, emitter);
      if (context.breakCalled) break;
      loop.i++;
    }
    context.continueCalled = context.breakCalled = false;
    context.pop();
  }
}

/** A branch is written once for each of its values that is met; `break` in it leaves the loop around at once. */
export class LeavingCase extends CaseTag {
  override *render(context: Context, emitter: Emitter): Rendering {
    const { renderer } = this.liquid;
    const wanted = toPlain(yield (this.value as Value).value(context));
    let isHit = false;
    for (const { values, templates } of this.branches) {
      for (const value of values) {
        if (!equals(runOf(context), wanted, yield evalToken(value as Token, context))) continue;
        isHit = true;
        yield renderer.renderTemplates(templates, context, emitter);
        if (context.breakCalled || context.continueCalled) return;
      }
    }
    if (!isHit) yield renderer.renderTemplates(this.elseTemplates, context, emitter);
  }
}

/** Comments may hold comments. */
export class NestedComment extends Tag {
  constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid) {
    super(token, remaining, liquid);
    for (let depth = 1; depth > 0; ) {
      const next = remaining.shift() as TagToken | undefined;
      if (!next) throw new Error(`tag ${token.getText()} not closed`);
      if (next.name === "comment") depth++;
      else if (next.name === "endcomment") depth--;
    }
  }

  override render(): void {}
}

/** Writes what stands in it where that is not what it wrote before. */
export class IfChanged extends Tag {
  readonly templates: Template[] = [];

  constructor(token: TagToken, remaining: TopLevelToken[], liquid: Liquid, parser: Parser) {
    super(token, remaining, liquid);
    const stream = parser
      .parseStream(remaining)
      .on("tag:endifchanged", () => void stream.stop())
      .on<Template>("template", (template) => void this.templates.push(template))
      .on("end", () => {
        throw new Error(`tag ${token.getText()} not closed`);
      });
    stream.start();
  }

  override *render(context: Context, emitter: Emitter): Rendering {
    const text = yield* capture(this.liquid, this.templates, context);
    if (context.getRegister("ifchanged") === (text as unknown)) return;
    context.setRegister("ifchanged", text as never);
    emitter.write(text);
  }

  // biome-ignore lint/correctness/useYield: liquidjs takes what a generator returns
  *children(): Generator<unknown, Template[], unknown> {
    return this.templates;
  }
}

class RowLoop extends Loop {
  readonly cols: number;

  constructor(length: number, name: string, cols: number) {
    super(length, name);
    this.cols = cols;
  }

  row(): number {
    return Math.floor(this.i / this.cols) + 1;
  }

  col0(): number {
    return this.i % this.cols;
  }

  col(): number {
    return this.col0() + 1;
  }

  col_first(): boolean {
    return this.col0() === 0;
  }

  col_last(): boolean {
    return this.col() === this.cols;
  }
}

/** Rows as Shopify writes them, which `break` ends. */
export class Tablerow extends TablerowTag {
  override *render(context: Context, emitter: Emitter): Rendering {
    const all = toItems(yield evalToken(this.collection as Token, context));
    const { offset, limit, cols } = (yield this.args.render(context)) as { [name: string]: unknown };
    const items = selectItems(all, offset, limit, false);
    const name = `${this.variable}-${this.collection.getText()}`;
    const loop = new RowLoop(items.length, name, toCount(cols) || items.length);
    const scope: { [name: string]: unknown } = Object.assign(Object.create(null), { tablerowloop: loop });
    context.push(scope);
    emitter.write('<tr class="row1">\n');
    for (const item of items) {
      scope[this.variable] = item;
      emitter.write(`<td class="col${loop.col()}">`);
      yield this.liquid.renderer.renderTemplates(this.templates, context, emitter);
      emitter.write("</td>");
      const isOver = context.breakCalled;
      context.breakCalled = context.continueCalled = false;
      if (isOver) break;
      if (loop.col_last() && !loop.last()) emitter.write(`</tr>\n<tr class="row${loop.row() + 1}">`);
      loop.i++;
    }
    emitter.write("</tr>\n");
    context.pop();
  }
}
