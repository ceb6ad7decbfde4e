/** The second Worker: makes what is heavy, for the first one alone. */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { PaintedCard } from "../../shared/card.ts";
import type { Press as Contract } from "../../shared/press.ts";
import { findFaults } from "./faults.ts";
import { compileMjml } from "./mjml.ts";
import { paint } from "./paint.ts";

export default class Press extends WorkerEntrypoint implements Contract {
  paint(card: PaintedCard, scale: 1 | 2) {
    return paint(card, scale);
  }

  findFaults(card: PaintedCard) {
    return findFaults(card);
  }

  compileMjml(source: string) {
    return compileMjml(source);
  }
}
