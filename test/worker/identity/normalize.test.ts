import { describe, expect, it } from "vitest";
import { isPhoneRegion, normalizeEmail, normalizePhone } from "../../../edge/identity/normalize.ts";

describe("an e-mail address", () => {
  it.each([
    ["Ann@Example.COM", "ann@example.com"],
    ["  ann@example.com ", "ann@example.com"],
    ["ann+shop@example.com", "ann+shop@example.com"],
    ["a.n.n@example.com", "a.n.n@example.com"],
    ["!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"],
    ["root@localhost", "root@localhost"],
    ["ann@123.example", "ann@123.example"],
    ["ann@255.255.255.255", "ann@255.255.255.255"],
    ["ann@c--n.example", "ann@c--n.example"],
    ["Ann@Bücher.example", "ann@xn--bcher-kva.example"],
    ["ann@XN--bcher-kva.example", "ann@xn--bcher-kva.example"],
    ["ann@例え。テスト", "ann@xn--r8jz45g.xn--zckzah"],
    ["δοκιμή@παράδειγμα.example", "δοκιμή@xn--hxajbheg2az3al.example"],
    ["zoe\u0308@example.com", "zoë@example.com"],
    ['"ann"@example.com', "ann@example.com"],
    ['"\\a\\nn"@example.com', "ann@example.com"],
    ['"Ann Lee"@example.com', '"ann lee"@example.com'],
    ['"a@b"@example.com', '"a@b"@example.com'],
    ['"a\\"b"@example.com', '"a\\"b"@example.com'],
    ["ann@[127.0.0.1]", "ann@[127.0.0.1]"],
    ["ann@[IPv6:2001:DB8:0:0::1]", "ann@[ipv6:2001:db8::1]"],
    [`${"a".repeat(64)}@example.com`, `${"a".repeat(64)}@example.com`],
  ])("%j is %j", (given, normal) => {
    expect(normalizeEmail(given)).toBe(normal);
    expect(normalizeEmail(normal)).toBe(normal);
  });

  it.each([
    "ann",
    "@",
    "ann@",
    "@example.com",
    ".ann@example.com",
    "ann.@example.com",
    "a..n@example.com",
    "ann@@example.com",
    "a nn@example.com",
    "ann@exam ple.com",
    "ann@-example.com",
    "ann@example-.com",
    "ann@.example.com",
    "ann@example..com",
    "ann@example.com.",
    "ann@exam_ple.com",
    "ann@ex%61mple.com",
    "ann@example.com/path",
    "ann@example.com:25",
    "ann@i❤.example",
    "ann@１.１",
    "ann@example.com\n",
    "\r\nann@example.com",
    "a\u0000nn@example.com",
    "ann@example.com\u200b",
    "Ann <ann@example.com>",
    "(comment)ann@example.com",
    "ann@(comment)example.com",
    '"ann@example.com',
    'an"n"@example.com',
    '"ann"."lee"@example.com',
    '""@example.com',
    '"ann\\"@example.com',
    "ann@[256.0.0.1]",
    "ann@[01.2.3.4]",
    "ann@[1.2.3]",
    "ann@[IPv6:1:2:3]",
    "ann@[RFC-5322-domain-literal]",
    "\ud83d@example.com",
    `${"a".repeat(65)}@example.com`,
    `${"é".repeat(33)}@example.com`,
    `a@${"b".repeat(64)}.com`,
    `a@${"b.".repeat(126)}com`,
  ])("%j is none", (given) => {
    expect(normalizeEmail(given)).toBeNull();
  });
});

describe("a phone number", () => {
  it.each([
    ["+49 30 123456", null, "+4930123456"],
    ["+1 (212) 555-2368", null, "+12125552368"],
    ["tel:+442079460958", null, "+442079460958"],
    ["+44 (0)20 7946 0958", null, "+442079460958"],
    ["‪+44 20 7946 0958‬", null, "+442079460958"],
    ["＋４４２０７９４６０９５８", null, "+442079460958"],
    ["+80012345678", null, "+80012345678"],
    ["030 123456", "DE", "+4930123456"],
    ["020 7946 0958", "GB", "+442079460958"],
    ["00 44 20 7946 0958", "DE", "+442079460958"],
    ["+39 06 1234567", "DE", "+39061234567"],
    ["(212) 555-2368", "US", "+12125552368"],
  ])("%j in %s is %j", (given, region, normal) => {
    expect(normalizePhone(given, region)).toBe(normal);
    expect(normalizePhone(normal, null)).toBe(normal);
  });

  it.each([
    ["030 123456", null],
    ["+10000000000", null],
    ["+999123456789", null],
    ["+1 555", null],
    ["+44 20 7946 0958 ext. 12", null],
    ["call +44 20 7946 0958", null],
    ["+44 20 7946 0958, +44 20 7946 0959", null],
    ["", "DE"],
    ["+", "DE"],
    ["ann", "DE"],
    ["1".repeat(256), "DE"],
    ["(".repeat(256), "US"],
    ["+1".repeat(128), "US"],
    ["030 123456", "constructor"],
  ])("%j in %s is none", (given, region) => {
    expect(normalizePhone(given, region)).toBeNull();
  });

  it("is dialled in countries whose plan is known", () => {
    expect(["DE", "GB", "US", "AC"].map(isPhoneRegion)).toEqual([true, true, true, true]);
    expect(["de", "ZZ", "", "__proto__", "constructor", "toString"].map(isPhoneRegion)).not.toContain(true);
  });
});
