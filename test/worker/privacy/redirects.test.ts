/** Whatever a value makes of a link, a click leads to a host that the author wrote, or to the site's own. */
import { expect, it } from "vitest";
import { checkText, renderText } from "../../../edge/blocks/liquid.ts";
import { checkLink } from "../../../edge/email/link.ts";
import { openShop, PERSON } from "../email/shop.ts";

const ALLOWED = ["brand.example", "shop.example"];
const LINKS = {
  whole: "{{ customer.to }}",
  host: "https://brand.example{{ customer.to }}",
  path: "https://brand.example/{{ customer.to }}",
  query: "https://brand.example/go?to={{ customer.to }}#{{ customer.to }}",
  user: "https://{{ customer.to }}@brand.example/",
};
const EVIL = "evil.example";
const TARGETS = [
  ...[
    `//${EVIL}`,
    `///${EVIL}`,
    `////${EVIL}`,
    `https:${EVIL}`,
    `https:/${EVIL}`,
    `https:///${EVIL}`,
    `https://${EVIL}`,
  ],
  ...[
    `http://${EVIL}`,
    `HTTPS://${EVIL}`,
    `\\\\${EVIL}`,
    `/\\${EVIL}`,
    `\\/${EVIL}`,
    `https:\\\\${EVIL}`,
    `https:\\/${EVIL}`,
  ],
  ...[
    `https://brand.example@${EVIL}`,
    `https://brand.example:443@${EVIL}`,
    `https://brand.example%40${EVIL}`,
    `@${EVIL}`,
  ],
  ...[
    `https://user:pass@brand.example`,
    `https://shop.example@brand.example`,
    `:pass@${EVIL}`,
    `:443@${EVIL}`,
    `%40${EVIL}`,
  ],
  ...[`https://brand.example.${EVIL}`, `.${EVIL}`, `-${EVIL}`, `%2e${EVIL}`, `%00.${EVIL}`, `。${EVIL}`, `．${EVIL}`],
  ...[`https://brand.example\\@${EVIL}`, `https://${EVIL}\\@brand.example`, `https://${EVIL}#@brand.example`],
  ...[`https://${EVIL}?@brand.example`, `https://${EVIL}/https://brand.example`, `https://brand.example\t.${EVIL}`],
  ...[
    `https://brand.example\n.${EVIL}`,
    `ht\ntps://${EVIL}`,
    `\u0000https://${EVIL}`,
    ` https://${EVIL}`,
    `\ufeffhttps://${EVIL}`,
  ],
  ...[
    "https://brand.example.",
    "https://brand.example:8443/",
    "https://brand.example:0/",
    ":8443/",
    ".",
    ":65536",
    ":x",
  ],
  ...[
    "https://xn--brnd-5na.example",
    "https://brаnd.example",
    "https://ｂrand.example.evil.example",
    "https://brand\u00adx.example",
  ],
  ...["https://127.0.0.1", "https://2130706433", "https://[::1]", "https://0x7f.1", "https://localhost"],
  ...["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "javascript://brand.example/%0aalert(1)"],
  ...[
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "blob:https://brand.example/1",
    "view-source:https://brand.example",
  ],
  ...[
    "intent://x#Intent;scheme=https;end",
    "file:///etc/passwd",
    "ftp://brand.example",
    "about:blank",
    "ws://brand.example",
  ],
  ...[
    "\r\nLocation: https://evil.example",
    "x\r\nSet-Cookie: a=b",
    "%0d%0aSet-Cookie:a=b",
    "\u2028Location:x",
    "a\u0000b",
  ],
  ...[
    "https://",
    "https:",
    "https://%",
    "https://?",
    "https://brand.example%",
    "%",
    "%ff",
    "\ud800",
    "💥",
    "../..//evil.example",
  ],
  ...[
    `/..//${EVIL}`,
    `/%2f%2f${EVIL}`,
    `%2f%2f${EVIL}`,
    `%5c%5c${EVIL}`,
    `?//${EVIL}`,
    `#//${EVIL}`,
    `;@${EVIL}`,
    `&@${EVIL}`,
  ],
  ...["[object Object]", "{{ site.id }}", "", " ", "null", "A".repeat(8_000)],
];

const ORIGINS = ["https://shop.example"];

/** What stands in a `Location`, if it may. */
function expectOwn(location: string, said: string): URL {
  expect(location, said).toMatch(/^[!-~]+$/);
  const url = new URL(location);
  expect([url.protocol, url.username, url.password], said).toEqual(["https:", "", ""]);
  expect(ALLOWED, said).toContain(url.host);
  return url;
}

it.each(Object.entries(LINKS))("of a value as %s leads nowhere else", (place, link) => {
  const checked = checkText(link);
  if (!("template" in checked)) throw new Error(link);
  const led = TARGETS.flatMap((to) => {
    const { text } = renderText(checked.template, { customer: { to } }, { now: 0, timeZone: "UTC" });
    const location = text === undefined ? null : checkLink(text, [link], ORIGINS);
    return location === null ? [] : [expectOwn(location, `${place} ${JSON.stringify(to)}`)];
  });
  // Where a value stands behind the host it may be anything.
  if (place === "path" || place === "query") expect(led.length).toBeGreaterThan(TARGETS.length - 5);
  else expect(led.length).toBeLessThan(TARGETS.length / 3);
});

it("a click leads nowhere else", { timeout: 30_000 }, async () => {
  const shop = await openShop({ settings: { origins: ORIGINS } });
  for (const [key, link] of Object.entries(LINKS))
    await shop.block(key, { variants: [{ key: "a", audience: null, template: "<p>Hi</p>", link }] });
  for (const [index, to] of TARGETS.entries()) {
    const slot = Object.keys(LINKS)[index % Object.keys(LINKS).length]!;
    const token = await shop.tokenOf(await shop.know(`u${index}`, { to }));
    const response = await shop.get(token, `${slot}/click`, PERSON);
    const said = `${slot} ${JSON.stringify(to)}`;
    expect(response.status, said).toBe(302);
    expect([...response.headers.keys()], said).not.toContain("set-cookie");
    expectOwn(response.headers.get("location")!, said);
  }
});
