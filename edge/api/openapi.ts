/** The OpenAPI 3.1 document: the developer API as its routes say, and the public plane, which is not built on hono, by hand. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { conditionJsonSchema } from "../segments/schema.ts";
import type { ApiEnv } from "./app.ts";
import { CONDITION_EXAMPLE } from "./condition.ts";
import { LANGUAGE } from "./language.ts";
import { publicPaths, publicSchemas } from "./public-plane.ts";

type Document = { paths?: object; components?: { schemas?: object } };

const DESCRIPTION = `Attune personalizes pages and e-mails close to the person who reads them.

The **public plane** (\`/v1\`, \`/e\`) takes a write key and speaks Segment's HTTP API. The **developer API** (\`/api\`) takes
\`Authorization: Bearer sk_…\`.

- Times are ISO 8601 with milliseconds; epoch milliseconds are accepted. \`until: null\` = never.
- Errors are RFC 9457 \`application/problem+json\`; the slugs are listed at [/problems](/problems).
- Unsafe requests of the developer API take \`Idempotency-Key\`: the first answer is kept 24 hours.
- Configuration objects answer an \`ETag\` and take \`If-Match\` (412 when they have changed).
- Lists take \`limit\` and \`cursor\`, and answer \`next\`.`;

/** The language's own schema, its references pointing to where a document keeps them. */
function conditionSchemas(): object {
  const text = JSON.stringify(conditionJsonSchema().$defs).replaceAll('"#/$defs/', '"#/components/schemas/');
  const schemas = JSON.parse(text);
  schemas.Condition.examples = [CONDITION_EXAMPLE];
  return schemas;
}

let document: Document | undefined;

/** Built once per isolate. */
export function buildDocument<App extends OpenAPIHono<ApiEnv>>(app: App): object {
  if (document) return document;
  const own = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Attune",
      version: "1",
      description: `${DESCRIPTION}\n\n## Conditions\n\n${LANGUAGE}`,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ secretKey: [] }],
  }) as Document;
  document = {
    ...own,
    paths: { ...own.paths, ...publicPaths() },
    components: {
      ...own.components,
      schemas: { ...own.components?.schemas, ...publicSchemas(), ...conditionSchemas() },
      securitySchemes: {
        secretKey: {
          type: "http",
          scheme: "bearer",
          description: "A site's secret key (sk_…), or the administrator's token.",
        },
        writeKey: { type: "http", scheme: "basic", description: "The write key as user name, an empty password." },
      },
    },
  } as Document;
  return document;
}
