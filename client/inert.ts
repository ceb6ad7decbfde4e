/** What there is where Attune does not run: every call is there, none does anything. */
import type { Attune } from "./runtime/api.ts";

const nothing = () => {};

export const inert: Attune = {
  version: "",
  key: "",
  track: nothing,
  page: nothing,
  identify: nothing,
  alias: nothing,
  group: nothing,
  reset: nothing,
  consent: nothing,
  push: nothing,
  on: () => nothing,
  segments: () => ({}),
  decisions: () => ({}),
  anonymousId: nothing as () => undefined,
  userId: nothing as () => undefined,
  flush: async () => {},
  explain: async () => [],
  stored: async () => null,
  debug: async () => {},
};
