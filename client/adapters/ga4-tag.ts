/** The tag's entry, `attune.ga4.js`: `data-layer` names the layer, `data-events` further events, between blanks. */
import { connectDataLayer } from "./ga4.ts";

const { layer = "dataLayer", events = "" } = (document.currentScript as HTMLScriptElement | null)?.dataset ?? {};
connectDataLayer(undefined, { layer, events: events.split(/\s+/) });
