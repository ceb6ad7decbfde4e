/**
 * The page's side of `window.attune`: calls made before the script is there wait in the array that the layout's one
 * line of code made; the script answers them in order when it comes.
 */
import type { Attune } from "../runtime/api.ts";

const page = window as unknown as { attune: Pick<Attune, "push"> & Partial<Attune> };

export type { ConsentMode } from "../../shared/consent.ts";
export type { Message } from "../../shared/event.ts";
export type { Memberships } from "../runtime/emitter.ts";

function call<M extends "track" | "identify" | "reset" | "consent" | "on">(method: M): Attune[M] {
  return ((...args: unknown[]) => page.attune.push([method, ...args])) as Attune[M];
}

export const track = call("track");
export const identify = call("identify");
export const reset = call("reset");
export const consent = call("consent");
export const on = call("on");

/** What is known now: nothing before the script has come. */
export const segments: Attune["segments"] = () => page.attune.segments?.() ?? {};
export const explain: Attune["explain"] = async () => (await page.attune.explain?.()) ?? [];
