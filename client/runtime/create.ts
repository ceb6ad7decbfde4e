/**
 * Wires the parts, puts the result on the window and answers the calls that waited there. Checks what pages hand over;
 * nothing throws out of what they call.
 */
import type { EventType, JsonObject } from "../../shared/event.ts";
import type { Attune, Load } from "./api.ts";
import { createConsent } from "./consent.ts";
import { buildContext, buildPage, VERSION } from "./context.ts";
import { emit, on, report } from "./emitter.ts";
import { buildDraft } from "./message.ts";
import { isMode, type Options } from "./options.ts";
import { readSearch } from "./page.ts";
import { startVisit } from "./visit.ts";

/** `attune` is the stub's queue, or what an earlier call has put there. */
export const page = globalThis as unknown as { attune?: Attune | Parameters<Attune["push"]> };

type Methods = { [method: string]: (...args: unknown[]) => unknown };

/**
 * Once in a page: whoever calls sees to it.
 * @param options `host` is needed; any address of the Worker will do.
 * @param load brings a lazy part.
 * @throws where `host` is no address.
 */
export function createAttune(
  { key, host, path = "/a", consent, dnt, search = "q,s,search,query,keyword", pages }: Options,
  load: Load,
): Attune {
  const waiting = page.attune;
  const endpoint = `${new URL(path, host)}`;
  const name = `attune.${key}`;
  const around = () => buildContext(purposes());
  // Whoever sends Do Not Track has said it before being asked.
  const isRefused = dnt !== undefined && dnt !== false && navigator.doNotTrack === "1";
  const [visit, run, mode, purposes, choose, mark, settle] = createConsent(
    name,
    endpoint,
    key,
    // What nobody understands allows nothing.
    isRefused || (consent && !isMode(consent)) ? "off" : consent || undefined,
    (...visit) =>
      startVisit(
        name,
        endpoint,
        key,
        load,
        purposes,
        around,
        attune.track,
        () => {
          if (pages !== "off") attune.page();
          const query = readSearch(search);
          if (query) attune.track("Products Searched", { query });
        },
        mark,
        ...visit,
      ),
  );
  /** Asks the lazy part; undefined where it cannot come, or fails. */
  const ask = (method: "explain" | "stored" | "debug") =>
    load("debug")
      .then((part): unknown => part[method](attune, visit, mode, purposes, endpoint))
      .catch(report) as Promise<never>;

  /**
   * Takes what a message is made of at once, and its person as soon as that is known.
   * @param names fields that are identifiers or names.
   * @param base what `data` is added to. Left out: names must be there. A name that is an object is none.
   */
  const message = (type: EventType, names: JsonObject, data: JsonObject, context: unknown, base?: JsonObject) => {
    const fields: JsonObject = { type };
    try {
      for (const [field, value] of Object.entries(names)) {
        if (/^(string|number)$/.test(typeof value) && value !== "") fields[field] = `${value}`;
        else if (!base || Object(value) === value) throw `${field} is no text`;
      }
      const draft = buildDraft(fields, data, base, around(), context);
      run((visit) => visit[type === "identify" ? type : "capture"](draft));
    } catch (error) {
      emit("rejected", { message: fields, problem: { title: `${error}` } });
    }
  };

  const attune: Attune = {
    version: VERSION,
    key,
    track(event, properties, context) {
      message("track", { event }, { properties }, context);
    },
    page(name, properties, context) {
      message("page", { name }, { properties }, context, { ...buildPage(true), name });
    },
    identify(userId, traits, context) {
      message("identify", { userId }, { traits }, context, {});
    },
    alias(userId, previousId, context) {
      run(({ state }) => message("alias", { userId, previousId: previousId ?? state.anonymousId }, {}, context));
    },
    group(groupId, traits, context) {
      message("group", { groupId }, { traits }, context);
    },
    reset() {
      run((visit) => visit.reset());
    },
    consent: choose,
    on,
    segments: () => visit()?.segments() ?? {},
    decisions: () => visit()?.state.slots ?? {},
    anonymousId: () => visit()?.state.anonymousId,
    userId: () => visit()?.state.userId,
    flush: async () => visit()?.flush(),
    explain: () => ask("explain"),
    stored: () => ask("stored"),
    debug: () => ask("debug"),
    push(...calls) {
      try {
        for (const [method, ...args] of calls) (attune as unknown as Methods)[method]!(...args);
      } catch (error) {
        report(error);
      }
    },
  };
  // What a developer has left open in this tab.
  run(() => sessionStorage[`${name}.debug`] && attune.debug());
  page.attune = attune;
  // A no among them comes before any visit.
  if (Array.isArray(waiting)) attune.push(...waiting);
  // A task of its own: what the page's parser waits for ends sooner, and no task is long.
  setTimeout(settle, 0);
  return attune;
}
