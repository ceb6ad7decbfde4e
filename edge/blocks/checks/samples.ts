/** Renders what is about to be live for people as different as they come: what stops for one of them is not published. */
import type { JsonObject } from "../../../shared/event.ts";
import type { ProblemError } from "../../problem.ts";
import {
  checkTemplate,
  checkText,
  explainStop,
  type Moment,
  type Rendered,
  type RenderedText,
  render,
  renderText,
  type Scope,
  type Template,
  type TextTemplate,
  variablesOf,
} from "../liquid.ts";
import type { BlockText } from "./texts.ts";

/** What somebody may have put into a form. */
const ODD = `"><script>alert(1)</script>'{{ customer.name }}{% raw %}&amp; \u202e😀\u0000 ${"Ünïcödé ".repeat(100)}`;
const ITEM = {
  ...{ product_id: ODD, sku: ODD, variant: ODD, name: ODD, brand: ODD, category: ODD, currency: "EUR" },
  ...{ price: 1_234.5, quantity: 3, url: "https://shop.example/p?a=1&b=2", image_url: "https://shop.example/p.png" },
};
const ITEMS = Array.from({ length: 20 }, () => ITEM);

interface Sample {
  who: string;
  scope: Scope;
}

/** An error for each text that stops for somebody, or makes an address that is not https. */
export function trySamples(texts: readonly BlockText[], site: JsonObject, moment: Moment): ProblemError[] {
  return texts.flatMap(({ source, pointer, form }): ProblemError[] => {
    const checked = form === "html" ? checkTemplate(source) : checkText(source);
    if ("errors" in checked) return checked.errors.map((error) => ({ ...error, pointer }));
    const { template } = checked;
    for (const { who, scope } of samplesOf(template)) {
      const { text, error } = show(template, { ...scope, site }, moment);
      if (text === undefined) return [{ pointer, code: "render", detail: `It stops for ${who}: ${error}.` }];
      if (form === "url" && !isHttps(text)) {
        const detail = `For ${who} it makes "${text.slice(0, 100)}", which is no https address.`;
        return [{ pointer, code: "unsafe-url", detail }];
      }
    }
    return [];
  });
}

/** What a text makes for somebody of whom nothing is known; empty where it stops. */
export function showNobody(template: Template | TextTemplate, site: JsonObject, moment: Moment): string {
  return show(template, { ...NOBODY.scope, site }, moment).text ?? "";
}

const NOBODY: Sample = { who: "somebody of whom nothing is known", scope: { customer: {}, segment: {}, context: {} } };

/** All of what the template looks at is there, too long and full of what HTML and Liquid are made of. */
function samplesOf(template: Template | TextTemplate): Sample[] {
  const { traits, segments } = variablesOf(template);
  const scope: Scope = {
    customer: Object.fromEntries((traits ?? []).map((trait) => [trait, ODD])),
    segment: Object.fromEntries((segments ?? []).map((key) => [key, true])),
    cart: { items: ITEMS, count: 3 * ITEMS.length, total: 1e6, currency: "EUR" },
    product_recommendations: ITEMS,
    context: { page: { path: "/", url: ITEM.url, title: ODD, search: ODD, referrer: ODD }, locale: "de-DE" },
  };
  return [NOBODY, { who: "somebody with a full cart whose every trait is a long, odd text", scope }];
}

/** `error` says where, too. */
function show(template: Template | TextTemplate, scope: Scope, moment: Moment): RenderedText {
  const shown =
    template.form === "text" ? renderText(template, scope, moment) : toText(render(template, scope, moment));
  return shown.error === undefined ? shown : { error: explainStop(template, scope, moment) ?? shown.error };
}

function toText(rendered: Rendered): RenderedText {
  return rendered.error === undefined ? { text: rendered.html } : rendered;
}

/** None at all is fine: then there is nothing to follow. */
function isHttps(text: string): boolean {
  const bare = text.trim();
  return bare === "" || URL.parse(bare)?.protocol === "https:";
}
