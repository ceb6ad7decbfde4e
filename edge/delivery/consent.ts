/** `POST /v1/consent`: purposes granted or withdrawn, kept with their proof. */
import * as z from "zod";
import { PURPOSES } from "../../shared/consent.ts";
import type { ConsentStatement } from "../db/consents.ts";
import type { Env } from "../env.ts";
import { correctTime } from "../ingest/clock.ts";
import { parseTime } from "../ingest/parse.ts";
import { invalidRequest } from "../invalid.ts";
import { Problem } from "../problem.ts";
import { ingestFresh, sourceOf } from "./batch.ts";
import { keepDevice, readDeviceCookie } from "./device.ts";
import { readJsonBody } from "./request.ts";
import { openSite } from "./site.ts";

/** An id that no message may have names nobody: what is said holds for the other one. */
export const consentSchema = z.looseObject({
  anonymousId: z.string().optional(),
  userId: z.string().nullish(),
  purposes: z.partialRecord(z.enum(PURPOSES), z.boolean()),
  at: z.union([z.string(), z.number()]).optional(),
  policyVersion: z.string().max(64).optional(),
  source: z.string().max(64).optional(),
});

export async function answerConsent(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  const receivedAt = Date.now();
  const body = await readJsonBody(request);
  const { live, headers } = await openSite(request, env, context, body, receivedAt);
  const parsed = consentSchema.safeParse(body);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const said = parsed.data;
  const { identity } = live;
  const identifiers = [
    identity.identifierOf("userId", said.userId),
    identity.identifierOf("anonymousId", said.anonymousId),
  ];
  if (!identifiers.some(Boolean)) {
    const detail = "userId or anonymousId must be given, and name somebody";
    throw new Problem("invalid-request", detail, { errors: [{ pointer: "/anonymousId", code: "required", detail }] });
  }
  const saidAt = parseTime(said.at);
  const at = correctTime(receivedAt, parseTime(body["sentAt"]), saidAt);
  const consents = identifiers.flatMap((identifier) =>
    identifier
      ? Object.entries(said.purposes).map(
          ([purpose, granted]): ConsentStatement => ({
            identifier,
            purpose: purpose as ConsentStatement["purpose"],
            granted,
            at,
            ...(saidAt !== null && { saidAt }),
            source: said.source ?? sourceOf(request),
            policyVersion: said.policyVersion ?? null,
          }),
        )
      : [],
  );
  const input = { events: [], consents, source: sourceOf(request), receivedAt };
  const { result } = await ingestFresh(env, live, input, context);
  // Nothing is allowed any more: nothing stays on the device, of somebody erased, too.
  const isWithdrawn = PURPOSES.every((purpose) => purpose === "necessary" || said.purposes[purpose] === false);
  const cookie = readDeviceCookie(request, live.manifest.siteId);
  const kept = keepDevice(cookie, isWithdrawn ? { mode: "off" } : body, receivedAt);
  if (consents.length && !consents.some(({ identifier }) => result.personOf(identifier)))
    throw new Problem("erased", undefined, { headers: kept });
  return Response.json({ success: true }, { headers: { ...headers, ...kept, "cache-control": "no-store" } });
}
