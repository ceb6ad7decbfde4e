import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { lacksDatabase, lacksNamespace, readGzipSize, setDatabaseId, setNamespaceId } from "../../../cli/deploy.ts";
import { ROOT } from "../../../cli/project.ts";

test("the ids of one's own database and namespace go into wrangler.toml, and nothing else changes", async () => {
  const fresh = setNamespaceId(
    setDatabaseId(await readFile(`${ROOT}wrangler.toml`, "utf8"), "00000000-0000-0000-0000-000000000000"),
    "0".repeat(32),
  );
  expect([lacksDatabase(fresh), lacksNamespace(fresh)]).toEqual([true, true]);

  const database = setDatabaseId(fresh, "1b2c3d4e-0000-4000-8000-000000000000");
  expect([lacksDatabase(database), lacksNamespace(database)]).toEqual([false, true]);
  const both = setNamespaceId(database, "a".repeat(32));
  expect([lacksDatabase(both), lacksNamespace(both)]).toEqual([false, false]);

  const before = fresh.split("\n");
  const changed = both.split("\n").filter((line, index) => line !== before[index]);
  expect(changed).toEqual(['database_id = "1b2c3d4e-0000-4000-8000-000000000000"', `id = "${"a".repeat(32)}"`]);
});

test("the gzip size is read from what wrangler prints", () => {
  expect(readGzipSize("Total Upload: 812.34 KiB / gzip: 190.12 KiB\n--dry-run: exiting now.")).toBe("190.12 KiB");
  expect(readGzipSize("something else")).toBeUndefined();
});
