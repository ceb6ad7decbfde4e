/** What a request decides of identifiers, as the audit trail tells it. */
import type { JsonObject } from "../../shared/event.ts";
import { type Identifier, splitIdentifier } from "../../shared/identifier.ts";
import type { AuditEntry } from "../db/audit.ts";
import type { Decision } from "./decision.ts";
import type { Resolution } from "./resolve.ts";

/** An entry for each message, and each link made by hand, by which anything was decided. */
export function auditOf(
  { groupOf, links, explanations }: Resolution,
  made: { actor: string; at: number },
): AuditEntry[] {
  const birthOf = (identifier: Identifier) =>
    groupOf.get(identifier)!.nodes.find((node) => node.identifier === identifier)!.birthId;
  const byHand = links.flatMap(({ a, b, messageId }): AuditEntry[] =>
    messageId === null
      ? [{ ...made, action: "link", subjects: [birthOf(a), birthOf(b)], detail: { a, b, evidence: "manual" } }]
      : [],
  );
  const said = explanations.map(({ messageId, decisions }): AuditEntry => {
    const subjects = decisions.flatMap((decision) =>
      decision.outcome !== "refused" && decision.birthId !== null ? [decision.birthId] : [],
    );
    const action = decisions.some(({ outcome }) => outcome === "linked") ? "link" : "refuse";
    return {
      ...made,
      action,
      subjects,
      detail: { messageId, decisions: decisions.map(toDetail) },
    };
  });
  return [...said, ...byHand];
}

/** What nobody has yet cannot be erased from the trail with the person who will have it: of such an identifier the kind is told. */
function toDetail(decision: Decision): JsonObject {
  if (decision.outcome === "refused" || decision.birthId !== null) return { ...decision };
  const { identifier, birthId: _nobody, ...rest } = decision;
  return { kind: splitIdentifier(identifier).kind, ...rest };
}
