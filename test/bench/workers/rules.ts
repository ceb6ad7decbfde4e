/** Decides rules over traits in a request, and answers the same without deciding. */
import { AutoRouter } from "itty-router";
import { createEvaluator } from "../../../shared/engine/evaluation.ts";
import { toRules } from "../rules/dialects.ts";
import { buildProfiles, buildTraitRules } from "../rules/traits.ts";

const RULES = 500;

const program = createEvaluator(toRules(buildTraitRules(RULES)), { timeZone: "UTC" });
const profiles = buildProfiles(64);
let next = 0;
const router = AutoRouter();

router.get("/empty", () => answer(0));

router.get("/decide", () => {
  const answers = program.evaluate(profiles[next++ % profiles.length]!, Date.now());
  let members = 0;
  for (const { value } of answers) if (value === true) members++;
  return answer(members);
});

const answer = (members: number) =>
  new Response(`{"members":${members}}`, { headers: { "content-type": "application/json" } });

export default { fetch: router.fetch };
