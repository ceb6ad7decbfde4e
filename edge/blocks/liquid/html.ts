/** Makes text harmless in HTML. */
import type { Run } from "./run.ts";
import { toText } from "./values.ts";

const ENTITIES: { [char: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (char) => ENTITIES[char]!) : text;
}

export function escapeOnce(run: Run, value: unknown): string {
  return escapeHtml(toText(run, value)).replace(/&amp;(amp|lt|gt|quot|#39|#34|#\d+|#x[0-9a-f]+);/gi, "&$1;");
}

export function newlineToBr(run: Run, value: unknown): string {
  return escapeHtml(toText(run, value)).replace(/\r?\n/g, "<br />\n");
}
