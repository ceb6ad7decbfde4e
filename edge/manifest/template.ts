/** Live templates: parsed when first needed, and rendered once for everyone when they name nothing personal. */
import {
  checkTemplate,
  checkText,
  type Moment,
  type Rendered,
  type RenderedText,
  render,
  renderText,
  type Scope,
  type Template,
  type TextTemplate,
  type Variables,
  variablesOf,
} from "../blocks/liquid.ts";

const NOTHING: Variables = {
  personal: false,
  timed: false,
  traits: [],
  segments: [],
  cart: false,
  recommendations: false,
  context: false,
};

/** `{{ site.* }}` */
export interface TemplateSite {
  id: string;
  name: string;
  timeZone: string;
}

interface Form<T, R> {
  check(source: string): { template: T } | { errors: unknown };
  render(template: T, scope: Scope, moment: Moment): R;
}

class Live<T extends Template | TextTemplate, R extends Rendered | RenderedText> {
  readonly source: string;
  readonly #form: Form<T, R>;
  readonly #site: TemplateSite;
  #parsed: T | null | undefined;
  #shared: R | undefined;

  constructor(form: Form<T, R>, source: string, site: TemplateSite) {
    this.source = source;
    this.#form = form;
    this.#site = site;
  }

  /** What a rendering needs to be given. */
  get variables(): Variables {
    const template = this.#parse();
    return template ? variablesOf(template) : NOTHING;
  }

  /** True when everyone gets the same, whenever they ask. */
  get isShared(): boolean {
    const { personal, timed } = this.variables;
    return !personal && !timed;
  }

  /** What everybody gets, once it is rendered. */
  protected get shared(): R | undefined {
    return this.#shared;
  }

  /** Renders for one person. A shared template never sees the scope: nothing of one person can reach another through it. */
  render(scope: Scope, now: number): R {
    const template = this.#parse();
    if (!template) return { error: "the template does not parse" } as R;
    const site = { ...this.#site };
    const { timeZone } = site;
    if (!this.isShared) return this.#form.render(template, { ...scope, site }, { now, timeZone });
    this.#shared ??= this.#form.render(template, { site }, { now: 0, timeZone });
    return this.#shared;
  }

  #parse(): T | null {
    if (this.#parsed === undefined) {
      const checked = this.#form.check(this.source);
      this.#parsed = "template" in checked ? checked.template : null;
    }
    return this.#parsed;
  }
}

export class LiveTemplate extends Live<Template, Rendered> {
  #json: string | undefined;

  constructor(source: string, site: TemplateSite) {
    super({ check: checkTemplate, render }, source, site);
  }

  /** The HTML that everybody gets, as JSON, once it is rendered; undefined of one that is for one person. */
  get sharedJson(): string | undefined {
    if (this.shared?.html !== undefined) this.#json ??= JSON.stringify(this.shared.html);
    return this.#json;
  }
}

/** Of plain text: a link, a subject, the words of a card. */
export class LiveText extends Live<TextTemplate, RenderedText> {
  constructor(source: string, site: TemplateSite) {
    super({ check: checkText, render: renderText }, source, site);
  }
}
