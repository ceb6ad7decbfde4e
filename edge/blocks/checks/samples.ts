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
/** A name, a city, a plan. */
const TYPICAL = "Alexandra";
const ITEMS = 20;
const URL_OF_ITEM = "https://shop.example/p?a=1&b=2";

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

/** The same for somebody like most: of whom all is known that it looks at, in words of the usual length. */
export function showTypical(template: Template | TextTemplate, site: JsonObject, moment: Moment): string {
  return show(template, { ...fullScope(template, TYPICAL), site }, moment).text ?? "";
}

const NOBODY: Sample = { who: "somebody of whom nothing is known", scope: { customer: {}, segment: {}, context: {} } };

function samplesOf(template: Template | TextTemplate): Sample[] {
  return [
    NOBODY,
    { who: "somebody with a full cart whose every trait is a long, odd text", scope: fullScope(template, ODD) },
  ];
}

/** All of what it looks at is there, each text the one given. */
function fullScope(template: Template | TextTemplate, text: string): Scope {
  const { traits, segments } = variablesOf(template);
  const item = {
    ...{ product_id: text, sku: text, variant: text, name: text, brand: text, category: text, currency: "EUR" },
    ...{ price: 1_234.5, quantity: 3, url: URL_OF_ITEM, image_url: "https://shop.example/p.png" },
  };
  const items = Array.from({ length: ITEMS }, () => item);
  return {
    customer: Object.fromEntries((traits ?? []).map((trait) => [trait, text])),
    segment: Object.fromEntries((segments ?? []).map((key) => [key, true])),
    cart: { items, count: 3 * ITEMS, total: 1e6, currency: "EUR" },
    product_recommendations: items,
    context: { page: { path: "/", url: URL_OF_ITEM, title: text, search: text, referrer: text }, locale: "de-DE" },
  };
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
