/** The tag's entry, `attune.segment.js`: listens to Segment; with `data-replace` stands in its place. */
import { connectSegment, replaceSegment } from "./segment.ts";

const replace = "replace" in ((document.currentScript as HTMLScriptElement | null)?.dataset ?? {});
(replace ? replaceSegment : connectSegment)();
