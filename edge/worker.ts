/** Wires the planes of the Worker together and does nothing else. */
import type { Env } from "./env.ts";

export default {
  async fetch() {
    return new Response("attune");
  },
} satisfies ExportedHandler<Env>;
