/**
 * The page's side of `window.attune`: calls made before the script is there are kept by the stub in the layout, and
 * answered in order when it comes.
 */
import type { Attune } from "../runtime/api.ts";

type Stubbed = "track" | "identify" | "reset" | "consent" | "on";
const page = window as unknown as { attune: Pick<Attune, Stubbed> & Partial<Attune> };

export type { ConsentMode } from "../../shared/consent.ts";
export type { Message } from "../../shared/event.ts";
export type { Memberships } from "../runtime/emitter.ts";

/** Looked up at each call: the script puts its own object in the stub's place. */
function call<M extends Stubbed>(method: M): Attune[M] {
  return ((...args: never[]) => (page.attune[method] as (...args: never[]) => unknown)(...args)) as Attune[M];
}

export const track = call("track");
export const identify = call("identify");
export const reset = call("reset");
export const consent = call("consent");
export const on = call("on");

/** What is known now: nothing before the script has come. */
export const segments: Attune["segments"] = () => page.attune.segments?.() ?? {};
export const anonymousId = () => page.attune.anonymousId?.();
export const userId = () => page.attune.userId?.();
export const stored: Attune["stored"] = async () => (await page.attune.stored?.()) ?? null;
export const debug: Attune["debug"] = async () => page.attune.debug?.();
export const explain: Attune["explain"] = async () => (await page.attune.explain?.()) ?? [];
