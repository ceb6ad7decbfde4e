import { expect, it } from "vitest";
import { wakeDueProfiles } from "../../../edge/profiles/wake.ts";
import { bindings, createSite, track } from "../site.ts";

it("moves people in and out of segments when nothing but time passes", async () => {
  const site = await createSite({
    segments: [
      { key: "recent", condition: { event: "Product Added", within: "1h" } },
      {
        key: "abandoner",
        condition: {
          event: "Product Added",
          unless: { event: "Order Completed", same: ["cart_id"] },
          after: "1m",
          within: "7d",
        },
      },
    ],
  });
  const ago = (ms: number) => ({ timestamp: new Date(Date.now() - ms).toISOString() });
  await site.batch([
    track("Product Added", { cart_id: 1 }, { anonymousId: "leaves", ...ago(2000) }),
    track("Product Added", { cart_id: 2 }, { anonymousId: "buys", ...ago(2000) }),
    track("Order Completed", { cart_id: 2 }, { anonymousId: "buys", ...ago(1000) }),
  ]);
  const at = async (minutes: number) => {
    await wakeDueProfiles(bindings, () => Date.now() + minutes * 60_000, { deadline: Infinity, statements: Infinity });
    const rows = await site.rows<{ segment_key: string; n: number }>(
      "SELECT segment_key, count(*) AS n FROM memberships WHERE site_id = ?1 GROUP BY segment_key",
    );
    return Object.fromEntries(rows.map((row) => [row.segment_key, row.n]));
  };
  expect(await at(0)).toEqual({ recent: 2 });
  expect(await at(2)).toEqual({ recent: 2, abandoner: 1 });
  expect(await at(61)).toEqual({ abandoner: 1 });
  expect(await at(8 * 24 * 60)).toEqual({});
  const [due] = await site.rows<{ n: number }>(
    "SELECT count(*) AS n FROM profiles WHERE site_id = ?1 AND wakes_at IS NOT NULL",
  );
  expect(due!.n).toBe(0);
  const log = await site.rows("SELECT DISTINCT cause FROM membership_log WHERE site_id = ?1 AND change = 'exit'");
  expect(log).toEqual([{ cause: "time" }]);
});
