/** Wires the parts, puts the result on the window and answers the calls that waited there. */
import { type Attune, createApi, type Load } from "./api.ts";
import { createConsent } from "./consent.ts";
import { buildContext } from "./context.ts";
import { isMode, type Options } from "./options.ts";
import { readSearch } from "./page.ts";
import { startVisit } from "./visit.ts";

/** `attune` is the stub's queue, or what an earlier call has put there. */
export const page = globalThis as unknown as { attune?: Attune | Parameters<Attune["push"]> };

/**
 * Once in a page: whoever calls sees to it.
 * @param options `host` is needed; any address of the Worker will do.
 * @param load brings a lazy part.
 * @throws where `host` is no address.
 */
export function createAttune(
  { key, host, path = "/a", consent, dnt, search = "q,s,search,query,keyword" }: Options,
  load: Load,
): Attune {
  const waiting = page.attune;
  const endpoint = `${new URL(path, host)}`;
  const name = `attune.${key}`;
  const context = () => buildContext(purposes());
  // Whoever sends Do Not Track has said it before being asked.
  const isRefused = (dnt ?? false) !== false && navigator.doNotTrack === "1";
  const [visit, run, mode, purposes, choose, mark, settle] = createConsent(
    name,
    endpoint,
    key,
    isRefused ? "off" : isMode(consent) ? consent : undefined,
    (...visit) =>
      startVisit(
        name,
        endpoint,
        key,
        load,
        purposes,
        context,
        attune.track,
        () => {
          attune.page();
          const query = readSearch(search);
          if (query) attune.track("Products Searched", { query });
        },
        mark,
        ...visit,
      ),
  );
  const attune = createApi(visit, run, context, choose, load, key, mode, purposes, endpoint);
  // What a developer has left open in this tab.
  run(() => sessionStorage[`${name}.debug`] && attune.debug());
  page.attune = attune;
  // A no among them comes before any visit.
  if (Array.isArray(waiting)) attune.push(...waiting);
  settle();
  return attune;
}
