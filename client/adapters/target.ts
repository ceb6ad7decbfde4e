/** Whom adapters feed: an Attune, or whatever of it the page has by then. */
import type { Attune } from "../runtime/api.ts";

export type Target = Pick<Attune, "push">;

const page = globalThis as unknown as { attune?: Target };

/** `window.attune`, the queue of its stub, or a queue for a script that comes later. */
export const pageAttune: Target = {
  push(...calls) {
    // An element with that id stands there, too, where nothing else does.
    if (!page.attune?.push) page.attune = [] as unknown as Target;
    page.attune.push(...calls);
  },
};
