/** The second Worker: makes what is heavy, for the first one alone. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { paint } from "./paint.ts";

export default class Press extends WorkerEntrypoint {
  paint(card: unknown, scale: unknown) {
    return paint(card, scale);
  }
}
