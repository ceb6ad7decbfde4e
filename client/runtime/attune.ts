/** The script tag's entry: reads the tag. */
import type { Attune } from "./api.ts";
import { createAttune, page } from "./create.ts";

const script = document.currentScript as HTMLScriptElement | null;

const start = () => {
  // Included twice: the first one stays.
  if ((page.attune as Attune | undefined)?.version) return;
  const { src, dataset } = script!;
  createAttune(
    { host: src, ...(dataset as { key: string }) },
    (part) => import(`${new URL(`attune.${part}.js`, src)}`),
  );
};

if (script?.dataset["key"])
  if ("end" in script.dataset && document.readyState === "loading")
    // The end of a page that the edge has filled says what was decided. Scripts of the page's do not wait for this one.
    addEventListener("DOMContentLoaded", start);
  else start();
else console.error("attune.js: no data-key, or a module");
