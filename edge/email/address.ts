/** What an address below /e/ asks for: `/e/:token/:slot`, `.html .txt .json`, the image's forms, and `/click`. */

export type ContentForm = "html" | "text" | "json";

export interface ImageForm {
  scale: 1 | 2;
  isDark: boolean;
}

export type Form = ContentForm | ImageForm | "click";

/** Empty names name nobody and nothing. */
export interface Address {
  token: string;
  slot: string;
  form: Form;
}

const NAME = /^([^.]{1,64})(?:\.(html|txt|json)|(\.dark)?(\.2x)?\.png)?$/;
const FORMS = { html: "html", txt: "text", json: "json" } as const;

/** Never fails: what is no address asks for nothing, in the form that it looks like. */
export function readAddress(path: string, accept: string | null): Address {
  const [, , token = "", file = "", action, ...rest] = path.split("/");
  const isLong = action !== undefined && (action !== "click" || rest.length > 0);
  const [name, slot = "", ending, dark, double] = (!isLong && NAME.exec(file)) || [];
  if (!name) return { token: "", slot: "", form: looksLike(path, accept) };
  if (action === "click") return { token, slot: name === slot ? slot : "", form: "click" };
  if (name.endsWith(".png")) return { token, slot, form: { scale: double ? 2 : 1, isDark: dark !== undefined } };
  return { token, slot, form: ending ? FORMS[ending as keyof typeof FORMS] : negotiate(accept) };
}

function looksLike(path: string, accept: string | null): Form {
  if (/\.png$/i.test(path)) return { scale: 1, isDark: false };
  return path.endsWith("/click") ? "click" : negotiate(accept);
}

const TYPES: readonly [type: string, form: ContentForm][] = [
  ["text/html", "html"],
  ["application/json", "json"],
  ["text/plain", "text"],
];

/**
 * The form that `Accept` likes best (RFC 9110, 12.5.1): of equal ones that which it names, then HTML. What accepts none of them
 * gets HTML: an error helps nobody here.
 */
export function negotiate(accept: string | null): ContentForm {
  const ranges = new Map((accept ?? "*/*").split(",").map(readRange));
  let best = { form: "html" as ContentForm, quality: 0, precision: 0 };
  for (const [type, form] of TYPES) {
    // The most precise range says how much it is liked.
    const names = [type, type.replace(/\/.*/, "/*"), "*/*"];
    const precision = names.findIndex((name) => ranges.has(name));
    if (precision < 0) continue;
    const quality = ranges.get(names[precision]!)!;
    const isBetter = quality > best.quality || (quality === best.quality && quality > 0 && precision < best.precision);
    if (isBetter) best = { form, quality, precision };
  }
  return best.form;
}

function readRange(text: string): [type: string, quality: number] {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const said = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = said === undefined ? 1 : Number(said.slice(2));
  return [type, quality >= 0 && quality <= 1 ? quality : 0];
}
