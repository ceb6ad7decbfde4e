/** Decides rules over traits in a request, and answers the same without deciding. */
import { AutoRouter } from "itty-router";
import { compile } from "../../../shared/engine/compile.ts";
import { fullLanguage } from "../../../shared/engine/language-edge.ts";
import { toCondition } from "../rules/dialects.ts";
import { buildProfiles, buildTraitRules } from "../rules/traits.ts";

const RULES = 500;

const program = compile(
  buildTraitRules(RULES).map((rule, index) => ({ key: `rule-${index}`, condition: toCondition(rule) })),
  { timeZone: "UTC" },
  fullLanguage,
);
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
