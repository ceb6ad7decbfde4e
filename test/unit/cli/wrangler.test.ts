import { expect, test } from "vitest";
import { readCause } from "../../../cli/wrangler.ts";

test.each([
  [
    "an error line",
    "▲ [WARNING] old\n✘ [ERROR] The entry-point file was not found.\n\n  at x",
    "The entry-point file was not found.",
  ],
  [
    "a headline with its detail",
    '✘ [ERROR] Processing wrangler.toml configuration:\n\n    - Expected "main" to be of type string.',
    'Processing wrangler.toml configuration: Expected "main" to be of type string.',
  ],
  [
    "a build that failed",
    '\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m Build failed with 1 error:\n  ✘ [ERROR] Could not resolve "./gone.ts"\n',
    'Build failed with 1 error: Could not resolve "./gone.ts"',
  ],
  [
    "an error with its place",
    '✘ [ERROR] Build failed with 1 error:\n\n  ✘ [ERROR] Expected ";"\n\n      edge/log.ts:6:7:\n        6 │ syntax error',
    'Build failed with 1 error: Expected ";" (edge/log.ts:6)',
  ],
  ["no error at all", "one\ntwo\n", "two"],
  ["silence", "", "it said nothing"],
])("finds the cause in %s", (_, output, cause) => {
  expect(readCause(output)).toBe(cause);
});
