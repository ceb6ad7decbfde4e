/** The script tag's entry: reads the tag. */
import type { Attune } from "./api.ts";
import { createAttune, page } from "./create.ts";

const script = document.currentScript as HTMLScriptElement | null;

// Included twice: the first one stays.
if (script?.dataset["key"] && !(page.attune as Attune | undefined)?.version) {
  const { src, dataset } = script;
  createAttune(
    { host: src, ...(dataset as { key: string }) },
    (part) => import(`${new URL(`attune.${part}.js`, src)}`),
  );
}
