/** The tag's entry, `attune.google-consent.js`: `data-layer` names the layer, `data-personalization` the signals for it. */
import { connectConsentMode } from "./google.ts";

const { layer = "dataLayer", personalization } = (document.currentScript as HTMLScriptElement | null)?.dataset ?? {};
connectConsentMode(undefined, { layer, ...(personalization && { personalization: personalization.split(/\s+/) }) });
