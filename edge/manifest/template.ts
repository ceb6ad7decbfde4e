/** A live template: parsed when first needed, and rendered once for everyone when it names nothing personal. */
import {
  checkTemplate,
  type Rendered,
  render,
  type Scope,
  type Template,
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
  timeZone: string;
}

export class LiveTemplate {
  readonly source: string;
  readonly #site: TemplateSite;
  #parsed: Template | null | undefined;
  #shared: Rendered | undefined;

  constructor(source: string, site: TemplateSite) {
    this.source = source;
    this.#site = site;
  }

  /** What a rendering needs to be given. */
  get variables(): Variables {
    const template = this.#parse();
    return template ? variablesOf(template) : NOTHING;
  }

  /** True when everyone gets the same HTML, whenever they ask. */
  get isShared(): boolean {
    const { personal, timed } = this.variables;
    return !personal && !timed;
  }

  /** Renders for one person. A shared template never sees the scope: nothing of one person can reach another through it. */
  render(scope: Scope, now: number): Rendered {
    const template = this.#parse();
    if (!template) return { error: "the template does not parse" };
    const { timeZone } = this.#site;
    if (!this.isShared) return render(template, { ...scope, site: { ...this.#site } }, { now, timeZone });
    this.#shared ??= render(template, { site: { ...this.#site } }, { now: 0, timeZone });
    return this.#shared;
  }

  #parse(): Template | null {
    if (this.#parsed === undefined) {
      const checked = checkTemplate(this.source);
      this.#parsed = "template" in checked ? checked.template : null;
    }
    return this.#parsed;
  }
}
