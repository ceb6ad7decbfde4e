/** Conditions of other tools, brought into Attune's language. */
import { createRoute } from "@hono/zod-openapi";
import * as z from "zod";
import { analyze } from "../../shared/engine/analyze.ts";
import { describe } from "../../shared/engine/describe.ts";
import { Problem } from "../problem.ts";
import { fromMongo } from "../segments/mongo.ts";
import { newApp } from "./app.ts";
import { ConditionSchema } from "./condition.ts";
import { json, jsonBody, problemResponse } from "./schemas.ts";

const SegmentImportRequest = z
  .strictObject({
    format: z.enum(["mongo"]),
    // Not a record, which would leave out a "__proto__" in silence.
    condition: z.unknown().openapi({ type: "object", description: "As the other tool has it." }),
    savedGroups: z.record(z.string(), z.unknown()).optional().openapi({
      description: 'Group → its values, or `{"type": "list", "values": […]}`: for `$inGroup` and `$notInGroup`.',
    }),
  })
  .openapi("SegmentImportRequest", {
    example: {
      format: "mongo",
      condition: { "app.version": { $vgte: "2.1.0" }, country: { $ini: ["nl", "be"] }, id: { $notInGroup: "staff" } },
      savedGroups: { staff: ["u1", "u2"] },
    },
  });

const SegmentImportSchema = z
  .object({
    condition: ConditionSchema,
    describe: z.string().openapi({ description: "The condition in a sentence." }),
    runtime: z.enum(["browser", "edge"]).openapi({
      description: "`edge`: browsers ask for it, whatever the segment's visibility.",
    }),
  })
  .openapi("SegmentImport");

export const segmentImport = newApp().openapi(
  createRoute({
    method: "post",
    path: "/",
    summary: "Translate another tool's condition into Attune's language",
    description: `Nothing is saved: put the condition into a segment or an audience.

\`mongo\` is the style of MongoDB queries, with the operators of GrowthBook and the meaning that they have there; attributes become paths
of traits. sift and mingo differ in places: there, \`{"tags": "a"}\` also finds a list with \`"a"\` in it, and numbers are not taken for text.

The translation means the same for every value that an attribute can have, or it is refused. GrowthBook takes \`5\` and \`["a"]\` for the
texts \`"5"\` and \`"a"\`, and a missing attribute for null, so that it can be longer than what it was made from. Where your values have one
type, shorten it; with \`{"plan": {"$eq": "pro"}}\` in place of \`{"plan": "pro"}\` it is short to begin with, and \`{"trait": "plan", "eq": "pro"}\` is decided
in the browser, too.

What cannot be said exactly is an \`invalid-condition\`, with a pointer to each place, the reason as its \`code\`, and what to do instead: objects
compared whole, patterns that do more than look for texts, operators that GrowthBook does not know, groups that are not in \`savedGroups\`.`,
    tags: ["Segments"],
    request: jsonBody(SegmentImportRequest),
    responses: { 200: json(SegmentImportSchema, "The same condition in Attune's language."), ...problemResponse },
  }),
  (c) => {
    const { condition: mongo, savedGroups } = c.req.valid("json");
    const { condition, errors } = fromMongo(mongo, { savedGroups });
    if (errors) {
      const located = errors.map((error) => ({ ...error, pointer: `/condition${error.pointer}` }));
      throw new Problem("invalid-condition", errors[0]!.detail, { errors: located });
    }
    const { runtime } = analyze(condition);
    return c.json({ condition: condition as { [key: string]: unknown }, describe: describe(condition), runtime }, 200);
  },
);
