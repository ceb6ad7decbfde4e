/**
 * Links that a developer makes and removes, for good or as a dry run. Both fold the people concerned anew in memory, by the
 * same function as ingest, and write the difference.
 */
import type { Identifier } from "../../shared/identifier.ts";
import type { NewConflict, NewLink } from "../db/links.ts";
import type { LiveSite } from "../manifest/live.ts";
import type { Person } from "../profiles/person.ts";

/** Whom a link or its removal concerns, and what becomes of them. */
export interface Regrouping {
  /** The site as they were decided by. */
  live: LiveSite;
  /** Everybody concerned as they are, decided as of `now`; the eldest first. */
  before: Person[];
  /** The same identifiers as they are afterwards. */
  after: Person[];
  links: {
    /** Made, among them such as were refused only because of the one that is gone. */
    made: NewLink[];
    /** No longer made: the one removed, and such as are refused without it. */
    fallen: NewLink[];
  };
  conflicts: {
    /** Refused from now on. */
    made: NewConflict[];
    /** Not refused any more: now links. */
    solved: NewConflict[];
  };
}

export interface LinkRequest {
  a: Identifier;
  b: Identifier;
  /** Who asks: `key:<id>`. */
  actor: string;
  /** Epoch milliseconds. */
  now: number;
  /** Nothing is written. */
  dryRun?: boolean;
}

export interface UnlinkRequest {
  linkId: string;
  actor: string;
  now: number;
  dryRun?: boolean;
}

/** Why nothing was done. */
export type LinkRefusal =
  /** Nothing is stored of one or both of them. */
  | { refused: "unknown"; identifiers: Identifier[] }
  /** They are one profile already. */
  | { refused: "united" }
  /** A limit stands against it. */
  | { refused: "limit"; reason: string }
  /** There never was such a link, or it was removed at `removedAt`. */
  | { refused: "no-link"; removedAt: number | null };
