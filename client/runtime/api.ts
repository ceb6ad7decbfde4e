/** `window.attune`: what a page can call. Checks what pages hand over; nothing throws out of here. */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { EventType, JsonObject } from "../../shared/event.ts";
import type { Explanation } from "../debug/explain.ts";
import type { Stored } from "../debug/stored.ts";
import { cleanObject } from "./clean.ts";
import { buildPage, VERSION } from "./context.ts";
import { emit, type Memberships, type On, on } from "./emitter.ts";
import { buildDraft } from "./message.ts";
import type { Content } from "./slots.ts";
import type { Visit } from "./visit.ts";

/** A site's own events: name → properties. Any where a site declares none. */
export type AnyEvents = { [event: string]: object };

export interface Attune<Events extends { [Event in keyof Events]: object } = AnyEvents> {
  version: string;
  /** The site's write key. */
  key: string;
  track<Event extends keyof Events & string>(
    event: Event,
    // Left out only where no property is needed.
    ...rest: object extends Events[Event]
      ? [properties?: Events[Event], context?: object]
      : [properties: Events[Event], context?: object]
  ): void;
  page(name?: string, properties?: object, context?: object): void;
  identify(userId?: string | number | null, traits?: object, context?: object): void;
  /** `userId` is the same person as `previousId` (default: this device's anonymous id). */
  alias(userId: string | number, previousId?: string | number, context?: object): void;
  group(groupId: string | number, traits?: object, context?: object): void;
  /** Somebody else uses the device from now on. */
  reset(): void;
  consent(choice: ConsentMode | Consent): void;
  on: On;
  /** Current memberships: ISO instant until which each holds, null = for ever. */
  segments(): Memberships;
  /** By slot: the decision, with its HTML. */
  decisions(): { [slot: string]: Content };
  anonymousId(): string | undefined;
  userId(): string | undefined;
  /** Resolves when all that waited was sent, or cannot be now: the Worker is out of reach, or nothing is allowed yet. */
  flush(): Promise<void>;
  /** Why the visitor is or is not in each public segment. Loads `attune.debug.js`; undefined where that is refused, here and below. */
  explain(): Promise<Explanation[] | undefined>;
  /** What this device keeps of the visitor; null = nothing. Loads `attune.debug.js`. */
  stored(): Promise<Stored | null | undefined>;
  /** Opens a panel that shows all of this and can simulate. Loads `attune.debug.js`. */
  debug(): Promise<void>;
  /** Calls by name: `attune.push(["track", "Product Viewed", {…}])`. */
  push(...calls: [method: string, ...args: unknown[]][]): void;
}

/** The lazy parts, `attune.rules.js` and so on. */
interface Parts {
  rules: typeof import("./rules.ts");
  watch: typeof import("./watch.ts");
  debug: typeof import("../debug/debug.ts");
}

/** Loads a lazy part. */
export type Load = <Part extends keyof Parts>(part: Part) => Promise<Parts[Part]>;

type Methods = { [method: string]: (...args: unknown[]) => unknown };

/**
 * @param visit the present one, if consent allows any.
 * @param run now, or as soon as it is known who the visitor is.
 * @param around the context of a message that is made now.
 * @param load brings a lazy part.
 * @param mode and `purposes`, `endpoint` are for the panel.
 */
export function createApi(
  visit: () => Visit | undefined,
  run: (work: (visit: Visit) => void) => void,
  around: () => JsonObject,
  consent: (choice: unknown) => void,
  load: Load,
  key: string,
  mode: () => ConsentMode | undefined,
  purposes: () => Consent,
  endpoint: string,
): Attune {
  /** Asks the lazy part; undefined where it cannot come, or fails. */
  const ask = (method: "explain" | "stored" | "debug") =>
    load("debug")
      .then((part): unknown => part[method](attune, visit, mode, purposes, endpoint))
      .catch((error) => emit("error", { error })) as Promise<never>;

  /**
   * Takes what a message is made of at once, and its person as soon as that is known.
   * @param names fields that are identifiers or names.
   * @param base what `data` is added to. Left out: names must be there.
   */
  const message = (type: EventType, names: JsonObject, data: JsonObject, context: unknown, base?: JsonObject) => {
    const fields: JsonObject = {};
    try {
      for (const [field, value] of Object.entries(names)) {
        if (/^(string|number)$/.test(typeof value) && value !== "") fields[field] = `${value}`;
        else if (!base) throw `${field} is missing`;
      }
      for (const [field, value] of Object.entries(data))
        fields[field] = { ...cleanObject(base), ...cleanObject(value) };
      const draft = buildDraft(type, fields, around(), context);
      run((visit) => visit[type === "identify" ? type : "capture"](draft));
    } catch (error) {
      emit("rejected", { message: { type, ...fields }, problem: { title: `${error}` } });
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
    consent,
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
        emit("error", { error });
      }
    },
  };
  return attune;
}
