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

/** Neither method rejects because of what it was given. */
export interface Press {
  /** @param scale pixels of the PNG for one of the card */
  paint(card: PaintedCard, scale: 1 | 2): Promise<Painted | { error: string }>;
  /**
   * @param source an `<mjml>` document, or the components of a body; Liquid in it stays as it is
   * @returns of a document a whole e-mail, of components what can be put inside one
   */
  compileMjml(source: string): Promise<{ html: string } | { errors: MjmlError[] }>;
}
