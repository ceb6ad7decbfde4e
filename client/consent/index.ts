/** `attune/consent`: where consent comes from, besides `attune.consent(…)`. */
export { type BannerOptions, connectBanner } from "./banner.ts";
export { connectConsentMode } from "./google.ts";
export { connectTcf } from "./tcf.ts";
export type { Texts } from "./texts.ts";
