/** What the API does when something is made live: published at once, and where that changes a rule, everybody decided behind the answer. */
import { isOverload } from "../db/errors.ts";
import type { LiveSite } from "../manifest/live.ts";
import { publish } from "../manifest/publish.ts";
import { backfillSite, logFailure } from "../profiles/backfill.ts";
import type { ApiContext } from "./app.ts";

/** What is not done behind the answer by then is left to the cron trigger. */
const BEHIND_MS = 20_000;
const STATEMENTS = 500;

/** @throws as `publish` does */
export async function publishRules(c: ApiContext, siteId: string): Promise<LiveSite> {
  const live = await publish(c.env, siteId, c.get("now"));
  const budget = { deadline: Date.now() + BEHIND_MS, statements: STATEMENTS };
  c.executionCtx.waitUntil(
    backfillSite(c.env, siteId, Date.now, budget).catch((error) => {
      if (!isOverload(error)) logFailure(siteId, error);
    }),
  );
  return live;
}
