/**
 * Stands in for `zod` in the bundle (`[alias]` in wrangler.toml). @hono/zod-openapi keeps zod's whole namespace, all its
 * languages included, alive as one value: 350 kB that every isolate would evaluate at its start, visitors' requests too.
 * It needs one member of it.
 */
import { ZodType } from "../../node_modules/zod/v4/classic/external.js";

export * from "../../node_modules/zod/v4/classic/external.js";
export const z = { ZodType };
