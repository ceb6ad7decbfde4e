/** `attune audit verify` against a real Worker, whose database somebody changes behind its back. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../../cli/project.ts";
import { type System, startSystem, withDatabase } from "./system.ts";

const ENTRIES = 1_200;
let system: System;
let site: string;

beforeAll(async () => {
  system = await startSystem();
  site = (await system.api<{ site: string }>("GET", "/api/audit/chain")).site;
});

afterAll(() => system?.stop());

function verify(...options: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const args = ["--no-warnings", `${ROOT}cli/attune.ts`, "audit", "verify", "--url", system.worker.url, ...options];
  const child = spawn(process.execPath, args, { env: { ...process.env, ATTUNE_SECRET_KEY: system.secretKey } });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

/** Changes the database while the Worker is stopped. */
async function change(...statements: string[]): Promise<void> {
  await system.worker.stop();
  withDatabase(system, { readOnly: false }, (database) => {
    database.function("sha256", (text) => createHash("sha256").update(String(text)).digest("hex"));
    for (const sql of statements) database.exec(sql);
  });
  await system.start();
}

const headOf = (out: string) => out.match(/head {5}(\d+:[0-9a-f]{64})/)?.[1] ?? "";

it("holds an empty audit good", async () => {
  expect(await verify()).toEqual({ code: 0, out: expect.stringContaining(`The audit of ${site} holds.`), err: "" });
});

it("computes a long chain anew, finds what is changed behind the Worker's back, and by an anchor a chain made anew", async () => {
  await change(
    `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT ${ENTRIES})
     INSERT INTO audit (site_id, seq, at, actor, action, subjects, detail, salt)
     SELECT '${site}', n, n, 'server', 'link', json_array('p' || n, 'q' || n), json_object('a', 'userId:ü' || n), hex(randomblob(16))
     FROM n`,
  );
  const intact = await verify();
  expect(intact).toMatchObject({ code: 0, out: expect.stringMatching(/entries {2}1,200, of them 0 erased and 0 not/) });
  const head = headOf(intact.out);
  expect(head).toMatch(/^1200:/);
  expect(await verify("--anchor", head)).toMatchObject({ code: 0 });

  const triggers = ["audit_insert", "audit_update", "audit_delete", "audit_seals_delete"].map(
    (name) => `DROP TRIGGER ${name}`,
  );
  const forgery = `UPDATE audit SET detail = json_object('a', 'userId:ü1') WHERE site_id = '${site}' AND seq = 700`;
  const redaction = `UPDATE audit SET detail = NULL, salt = NULL, detail_hash = sha256(json_array(salt, detail))
    WHERE site_id = '${site}' AND seq IN (9, 10)`;
  const erasure = `INSERT INTO audit (site_id, seq, at, actor, action, subjects, detail, salt)
    VALUES ('${site}', 1201, 1201, 'key:1', 'erase', '["q10"]', '{}', '')`;
  await change(erasure, ...triggers, redaction, forgery, `DELETE FROM audit WHERE site_id = '${site}' AND seq = 42`);
  const broken = await verify();
  expect(broken.code).toBe(1);
  expect(broken.out.split("\n")).toEqual([
    "Entry 9 lost its detail, though nobody was erased whom it names.",
    "Entry 42 is gone.",
    "Entry 700 is not what it was.",
    `The audit of ${site} does not hold.`,
    "  entries  1,200, of them 2 erased and 0 not sealed yet",
    expect.stringMatching(/^ {2}seals {4}\d+$/),
    "",
  ]);
  expect(headOf(broken.out)).toBe("");

  await change(
    `INSERT INTO audit (site_id, seq, at, actor, action, subjects, detail, salt) VALUES ('${site}', 42, 42, '', '', '[]', '{}', '')`,
    `UPDATE audit SET subjects = '["q10"]' WHERE site_id = '${site}' AND seq = 9`,
    `DELETE FROM audit_seals WHERE site_id = '${site}'`,
  );
  expect(await verify()).toMatchObject({ code: 0 });
  const anchored = await verify("--anchor", head);
  expect(anchored).toMatchObject({ code: 1, out: expect.stringContaining(`The anchor ${head} is not in the chain`) });
}, 600_000);

it.each([
  [["--anchor", "7"], /^attune: "7" is no anchor/],
  [["twice"], /^attune: Usage: audit verify/],
])("refuses %j in one line", async (options, line) => {
  expect(await verify(...options)).toEqual({ code: 2, out: "", err: expect.stringMatching(line) });
});
