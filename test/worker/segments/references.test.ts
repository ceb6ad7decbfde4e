import { expect, it } from "vitest";
import type { Segment } from "../../../edge/db/segments.ts";
import { checkReferences } from "../../../edge/segments/references.ts";
import { SEGMENT_CHAIN } from "../../../shared/limits.ts";

it("refuses segments that refer to one another too many times in a row", () => {
  const chain = Array.from({ length: SEGMENT_CHAIN }, (_, i) => ({
    key: `s${i}`,
    status: "active",
    condition: i ? { segment: `s${i - 1}` } : { trait: "plan", eq: "pro" },
  })) as Segment[];
  const check = (segment: string) =>
    checkReferences({ segment }, chain, { self: "one-more", live: true, pointer: "/condition" });
  expect(check(`s${SEGMENT_CHAIN - 2}`)).toEqual([]);
  expect(check(`s${SEGMENT_CHAIN - 1}`)).toMatchObject([{ pointer: "/condition", code: "limit" }]);
});
