/** Under which policies a script of ours stands behind what is kept of a slot. */
import { expect, it } from "vitest";
import { buildFacade } from "../../../edge/stream/hydrate.ts";

const nonceIn = (script: string) => /^<script(?: nonce="(.*?)")?>.*<\/script>$/s.exec(script)?.[1];

it.each([
  ["", "", undefined],
  ["img-src 'none'; frame-ancestors 'self'", "", undefined],
  ["default-src 'self'; script-src 'self' 'unsafe-inline'", "", undefined],
  ["script-src 'nonce-a+/b==' 'strict-dynamic' https:", "", "a+/b=="],
  ["default-src 'NONCE-a'", "", "a"],
  ["script-src 'none'; script-src-elem 'nonce-a'", "", "a"],
  ["script-src 'unsafe-inline', default-src 'self' 'nonce-a' 'sha256-x'", "", "a"],
  ["script-src 'nonce-a', script-src 'nonce-a' 'nonce-b'", "", "a"],
  ["script-src 'unsafe-inline'", "script-src 'nonce-a'", "a"],
  ["", "script-src 'self'", undefined],
])("under %s (reported: %s) one does, with the nonce %s", (enforced, reported, nonce) => {
  const script = buildFacade(enforced, reported);
  expect(script).toContain("<script");
  expect(nonceIn(script)).toBe(nonce);
});

it.each([
  "default-src 'self'",
  "script-src 'self' https:; default-src 'unsafe-inline'",
  "script-src-elem 'none'; script-src 'unsafe-inline'",
  "script-src 'unsafe-inline' 'strict-dynamic'",
  "script-src 'unsafe-inline' 'sha256-x'",
  "script-src",
  "SCRIPT-SRC 'self'",
  "script-src 'nonce-a', script-src 'self'",
  "script-src 'nonce-a', script-src 'nonce-b'",
  "script-src 'nonce-\"><b>'",
])("under %s none does", (policy) => {
  expect(buildFacade(policy, "")).toBe("");
});
