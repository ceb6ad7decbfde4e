import { expect, it } from "vitest";
import type { Form } from "../../../edge/email/address.ts";
import { classifyFetcher, type Fetcher } from "../../../edge/email/fetcher.ts";

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const APPLE_MAIL = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)";
const THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.3.0";
const YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html";
const GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";

function classify(
  agent: string,
  kind: "image" | "click" | "html",
  more: { headers?: object; network?: string; method?: string } = {},
): Fetcher {
  const { headers, network, method = "GET" } = more;
  const form: Form = kind === "image" ? { scale: 1, isDark: false } : kind;
  const said = { ...(agent && { "user-agent": agent }), "accept-language": "en", ...headers } as Record<string, string>;
  const request = new Request("https://edge.example/", {
    method,
    headers: said,
    cf: { asOrganization: network } as never,
  });
  return classifyFetcher(request, form);
}

it.each<[agent: string, image: Fetcher, click: Fetcher]>([
  [CHROME, "person", "person"],
  [IPHONE, "person", "person"],
  [OUTLOOK, "person", "person"],
  [THUNDERBIRD, "person", "person"],
  // Whether it is Apple Mail or somebody who pretends to be it is not to be told of an image.
  [APPLE_MAIL, "proxy", "person"],
  ["Mozilla/5.0", "proxy", "proxy"],
  [GMAIL, "proxy", "proxy"],
  [YAHOO, "proxy", "proxy"],
  ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "scanner", "scanner"],
  ["Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "scanner", "scanner"],
  ["facebookexternalhit/1.1", "scanner", "scanner"],
  [CHROME.replace("Chrome/", "HeadlessChrome/"), "scanner", "scanner"],
  [`${CHROME} Barracuda`, "scanner", "scanner"],
  ["Proofpoint URL Defense", "scanner", "scanner"],
  ["Braze Sender Version abc", "sender", "sender"],
  ["Klaviyo/1.0", "sender", "sender"],
  ["python-requests/2.32", "sender", "sender"],
  ["Apache-HttpClient/4.5 (Java/17)", "sender", "sender"],
  ["", "sender", "sender"],
])("%s", (agent, image, click) => {
  expect([classify(agent, "image"), classify(agent, "click")]).toEqual([image, click]);
});

it("takes whoever fetches content for the service that builds the e-mail, but for gateways", () => {
  for (const agent of [
    "",
    "Braze",
    "SomeService/1.0 (+https://service.example)",
    "HeadlessChrome/1.0",
    CHROME.replace("Chrome/", "HeadlessChrome/"),
  ])
    expect(classify(agent, "html"), agent).toBe("sender");
  expect(classify("Mimecast Link Scanner", "html")).toBe("scanner");
  expect(classify(CHROME, "html")).toBe("person");
});

it("tells by the network what the user agent hides", () => {
  for (const network of ["Barracuda Networks Inc.", "PROOFPOINT-ASN-US-EAST", "Mimecast Services Limited"])
    for (const kind of ["image", "click", "html"] as const) expect(classify(CHROME, kind, { network })).toBe("scanner");
  for (const network of ["Microsoft Corporation", "Amazon.com, Inc.", "Google LLC", "Google Cloud Platform"]) {
    expect(classify(CHROME, "click", { network })).toBe("scanner");
    expect(classify(CHROME, "image", { network })).toBe("proxy");
    expect(classify(CHROME, "html", { network })).toBe("sender");
  }
  for (const network of ["Deutsche Telekom AG", "Google Fiber Inc.", "Cloudflare, Inc.", "Akamai Technologies, Inc."])
    expect(classify(CHROME, "click", { network })).toBe("person");
});

it("tells by the headers that nobody looks", () => {
  expect(classify(CHROME, "click", { method: "HEAD" })).toBe("scanner");
  expect(classify(CHROME, "image", { method: "HEAD" })).toBe("proxy");
  expect(classify(CHROME, "click", { headers: { "sec-purpose": "prefetch;prerender" } })).toBe("proxy");
  expect(classify(CHROME, "image", { headers: { purpose: "prefetch" } })).toBe("proxy");
  expect(classifyFetcher(new Request("https://edge.example/", { headers: { "user-agent": CHROME } }), "click")).toBe(
    "scanner",
  );
});
