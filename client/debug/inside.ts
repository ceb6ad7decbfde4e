/** What the lazy part reaches of the script, beside what any page can call. */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { Attune } from "../runtime/api.ts";
import type { Visit } from "../runtime/visit.ts";

export interface Inside {
  attune: Attune;
  /** Undefined where consent allows none. */
  visit: () => Visit | undefined;
  /** Undefined while nobody has said anything, the site neither. */
  mode: () => ConsentMode | undefined;
  purposes: () => Consent;
  /** Prefix of every request. */
  endpoint: string;
  /** Of the store, and of the visitor's choice. */
  name: string;
}
