/** Pieces that several views are made of. */
import { type Child, h } from "../dom.ts";
import { formatClock, formatLeft } from "../format.ts";

export const section = (title: string, ...children: Child[]): HTMLElement =>
  h("section", { "data-key": title }, h("h2", {}, title), children);

export const hint = (...children: Child[]): HTMLElement => h("p.hint", {}, children);

/** @param action name of what the overlay does, and what with. */
export const button = (label: Child, action: string, arg = "", attributes: Parameters<typeof h>[1] = {}): HTMLElement =>
  h("button", { type: "button", "data-do": action, "data-arg": arg, ...attributes }, label);

/** One of several, the chosen one pressed. */
export const choices = (
  label: string,
  action: string,
  options: [label: string, arg: string, isChosen: boolean][],
): HTMLElement =>
  h(
    "div.choices",
    { role: "group", "aria-label": label },
    options.map(([text, arg, isChosen]) => button(text, action, arg, { "aria-pressed": `${isChosen}` })),
  );

export const copyButton = (text: string, what: string, copied: string | undefined): HTMLElement =>
  button(copied === text ? "Copied" : "Copy", "copy", text, { class: "small", "aria-label": `Copy ${what}` });

/** Names and values, one a row. */
export const facts = (rows: [name: string, ...value: Child[]][]): HTMLElement =>
  h(
    "dl",
    {},
    rows.map(([name, ...value]) => h("div", { "data-key": name }, h("dt", {}, name), h("dd", {}, value))),
  );

export const more = (summary: Child, key: string, ...children: Child[]): HTMLElement =>
  h("details", { "data-key": key }, h("summary", {}, summary), children);

/** What a page has thrown may be anything. */
export const json = (value: unknown): HTMLElement => {
  let text: string;
  try {
    text = JSON.stringify(value, null, 2);
  } catch (error) {
    text = `${error}`;
  }
  return h("pre", { tabindex: 0 }, text);
};

export const countdown = (until: number, now: number): HTMLElement =>
  h("time", { title: `until ${formatClock(until)}` }, formatLeft(until - now));

export const mark = (value: unknown): HTMLElement => h("i.mark", { "data-value": `${value}` });
