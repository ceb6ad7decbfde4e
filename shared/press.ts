/** What the second Worker does for the first one, through the service binding PRESS. */
import type { PaintedCard } from "./card.ts";

/** Longer sources are refused. */
export const MJML_BYTES = 64 * 1024;

export interface MjmlError {
  /** From 1; left out where it concerns the whole. */
  line?: number;
  message: string;
}

export interface Painted {
  png: ArrayBuffer;
  /** Pictures that could not be had, of different URLs: their rooms are empty, and may not be the next time. */
  missing: number;
}

/** What of a card its reader does not see, by the index of the part. */
export type CardFault = { part: number } & (
  | /** Its text ends in an ellipsis: about so many characters fit. */ { what: "cut"; fits: number }
  /** It is not, or not wholly, on the card. */
  | { what: "outside" }
  /** Characters of its texts that no font of the press has, each once. */
  | { what: "undrawn"; characters: string }
);

/** No method rejects because of what it was given. */
export interface Press {
  /** @param scale pixels of the PNG for one of the card */
  paint(card: PaintedCard, scale: 1 | 2): Promise<Painted | { error: string }>;
  /** Lays a card out, without its pictures. */
  findFaults(card: PaintedCard): Promise<{ faults: CardFault[] } | { error: string }>;
  /**
   * @param source an `<mjml>` document, or the components of a body; Liquid in it stays as it is
   * @returns of a document a whole e-mail, of components what can be put inside one
   */
  compileMjml(source: string): Promise<{ html: string } | { errors: MjmlError[] }>;
}
