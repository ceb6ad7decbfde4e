/** `window.attune`: what a page can call. */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { Explanation } from "../debug/explain.ts";
import type { Stored } from "../debug/stored.ts";
import type { Memberships, On } from "./emitter.ts";
import type { Content } from "./slots.ts";

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
