/** What became of each identifier that a message carries, and why: as the audit trail keeps it, and in words. */
import type { Identifier, IdentifierKind, Window } from "../../shared/identifier.ts";
import type { IdentifierRefusal } from "./policy.ts";

/** A value that is no identifier. The value itself is not kept. */
export interface RefusedIdentifier {
  kind: IdentifierKind;
  /** Of another kind, or empty, it would not have been meant as one. */
  reason: Exclude<IdentifierRefusal, "kind" | "empty">;
}

/** Why an identifier stays with whom it belongs to. */
export type Exclusion =
  /** The profile would hold `count` of the kind, or have gained them within the window. */
  | {
      why: "limit";
      kind: IdentifierKind;
      limit: number;
      window: Window;
      count: number;
      /** Birth id of who fills it: the eldest of the kind there, on the other's side if there is one. */
      holder: string;
    }
  /** The profile would hold `count` identifiers of all kinds. */
  | { why: "size"; limit: number; count: number }
  /** A browser says it, and it would lead into the profile of a known user. */
  | { why: "unverified" }
  /** A developer removed this link: that stands. */
  | { why: "removed" };

/** What became of an identifier. */
export type Verdict =
  /** The event stays with it. */
  | { outcome: "owner" }
  /** From now on of the owner's profile. */
  | { outcome: "linked" }
  /** Nothing new: linked already, or refused as before. */
  | { outcome: "known" }
  | { outcome: "left-out"; exclusion: Exclusion };

export type Decision =
  /** `birthId`: null for an identifier that nobody has. */
  ({ identifier: Identifier; birthId: string | null } & Verdict) | ({ outcome: "refused" } & RefusedIdentifier);

/** Of a message that links something, or that is refused a link for the first time. */
export interface Explanation {
  messageId: string;
  /** The owner first, then the strongest; refused values last. */
  decisions: Decision[];
}

/** Why, as a sentence without its full stop. */
export function describeExclusion(exclusion: Exclusion): string {
  switch (exclusion.why) {
    case "limit": {
      const { kind, limit, window } = exclusion;
      if (window === "ever") return `a profile holds at most ${limit} of kind ${kind}`;
      return `a profile gains at most ${limit} of kind ${kind} within ${window === "hour" ? "an" : "a"} ${window}`;
    }
    case "size":
      return `a profile holds at most ${exclusion.limit} identifiers`;
    case "unverified":
      return "what a browser says of an address does not lead into the profile of a known user";
    case "removed":
      return "this link was removed, and stays so until somebody makes it again";
  }
}

const REFUSALS: { readonly [reason in RefusedIdentifier["reason"]]: string } = {
  "too-long": "it is too long",
  blocked: "it is on the block list",
  malformed: "it is not one",
};

/** A decision as a sentence without its full stop. Names kinds, never values. */
export function describeDecision(decision: Decision): string {
  if (decision.outcome === "refused")
    return `a value of kind ${decision.kind} is refused: ${REFUSALS[decision.reason]}`;
  const kind = decision.identifier.slice(0, decision.identifier.indexOf(":"));
  switch (decision.outcome) {
    case "owner":
      return `the message stays with its ${kind}`;
    case "linked":
      return `its ${kind} is linked`;
    case "known":
      return `of its ${kind} nothing is new`;
    case "left-out":
      return `its ${kind} is left out: ${describeExclusion(decision.exclusion)}`;
  }
}
