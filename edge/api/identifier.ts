/** Identifiers as the API takes and answers them. */
import * as z from "zod";
import type { Identifier } from "../../shared/identifier.ts";
import { IDENTIFIER_LENGTH, NAME_LENGTH } from "../../shared/limits.ts";
import { phraseRefusal } from "../identity/policy.ts";
import type { LiveSite } from "../manifest/live.ts";
import { Problem } from "../problem.ts";

export const IdentifierSchema = z
  .object({ kind: z.string(), value: z.string() })
  .openapi("Identifier", { example: { kind: "userId", value: "u-42" } });

export const GivenIdentifierSchema = z
  .strictObject({
    kind: z
      .string()
      .max(NAME_LENGTH)
      .openapi({ description: "userId, email, phone, anonymousId, or one of the site's." }),
    value: z.union([z.string().max(IDENTIFIER_LENGTH), z.int()]).openapi({ type: "string" }),
  })
  .openapi("GivenIdentifier", {
    description: "Normalized as events are: an e-mail address is the same one in any case.",
    example: { kind: "email", value: "ada@shop.example" },
  });

/** @param pointer of the identifier in the body; null: it stands in the query. @throws Problem for what identifies nobody */
export function readIdentifier(
  live: LiveSite,
  { kind, value }: z.infer<typeof GivenIdentifierSchema>,
  pointer: string | null,
): Identifier {
  const checked = live.identity.check(kind, value);
  if ("identifier" in checked) return checked.identifier;
  const field = checked.refused === "kind" ? "kind" : "value";
  const detail = phraseRefusal(live.identity, kind, checked.refused);
  const place = pointer === null ? "" : `${pointer}/${field}`;
  throw new Problem("invalid-request", detail, { errors: [{ pointer: place, code: checked.refused, detail }] });
}
