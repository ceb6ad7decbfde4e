import { describe, expect, it } from "vitest";
import type { Env } from "../../../edge/env.ts";
import { isForOrigin } from "../../../edge/stream/host.ts";

const isFor = (vars: Partial<Env>, url: string) => isForOrigin(vars as Env, url);

describe("where every host is both", () => {
  it.each([
    ["/", true],
    ["/apiary", true],
    ["/healthz/x", true],
    ["/attune", true],
    ["/a/decide", false],
    ["/v1/track", false],
    ["/e/token/hero", false],
    ["/api", false],
    ["/api/orders", false],
    ["/problems", false],
    ["/preview/token", false],
    ["/healthz", false],
  ])("%s is the origin's: %s", (path, expected) => {
    expect(isFor({ ORIGIN: "route" }, `https://shop.example${path}`)).toBe(expected);
    expect(isFor({}, `https://shop.example${path}`)).toBe(false);
  });
});

describe("where the site has hosts of its own", () => {
  const vars = { ORIGIN: "route", ORIGIN_HOSTS: "shop.example, WWW.shop.example" };

  it.each([
    ["/", true],
    ["/api/orders", true],
    ["/healthz", true],
    ["/e/token/hero", true],
    ["/a", true],
    ["/a/decide/x", true],
    ["/a/manifest", true],
    ["/v1/decide", true],
    ["/a/decide", false],
    ["/a/batch", false],
    ["/a/consent", false],
    ["/a/manifest/pk_1", false],
  ])("%s of them is the origin's: %s", (path, expected) => {
    for (const host of ["shop.example", "www.shop.example:8443"])
      expect(isFor(vars, `https://${host}${path}?x=1`)).toBe(expected);
  });

  it("another host has nothing of the site's", () => {
    for (const path of ["/", "/api/orders", "/a/decide"])
      for (const host of ["attune.example.workers.dev", "a.shop.example", "shop.example.evil"])
        expect(isFor(vars, `https://${host}${path}`)).toBe(false);
  });
});
