/**
 * The tag's entry, `attune.banner.js`: `data-lang`, `data-policy` (address of the privacy policy) and any text by its name:
 * `data-title`, `data-text`, `data-accept`, …
 */
import { connectBanner } from "./banner.ts";
import { TEXTS } from "./texts.ts";

const { lang, policy, ...data } = (document.currentScript as HTMLScriptElement | null)?.dataset ?? {};
const texts = Object.fromEntries(Object.entries(data).filter(([name]) => Object.hasOwn(TEXTS["en"]!, name)));
const dnt = !!document.querySelector("script[data-key][data-dnt]");
connectBanner(undefined, { texts, dnt, ...(lang && { lang }), ...(policy && { policy }) });
