/**
 * Who asks for an e-mail's block. An image that is fetched is delivered, not seen: only what looks like somebody's own mail program or
 * browser is a person, and whatever is in doubt is not.
 */
import { isbot } from "isbot";
import type { Form } from "./address.ts";

/**
 * `person`: a mail program or browser. `proxy`: a mailbox provider that fetches for its users, when it likes. `scanner`: what
 * follows links to protect or to index. `sender`: the service that builds the e-mail.
 */
export type Fetcher = "person" | "proxy" | "scanner" | "sender";

/** By the user agents that they are known for. */
const PROXIES = [
  // Gmail: `… Firefox/11.0 (via ggpht.com GoogleImageProxy)`.
  /GoogleImageProxy|ggpht\.com/i,
  // Yahoo and AOL: `YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html`.
  /YahooMailProxy|YahooCacheSystem/i,
  // Apple Mail Privacy Protection says nothing else (github.com/ua-parser/uap-core/issues/509).
  /^Mozilla\/5\.0$/,
  /DuckDuckGo.*Email|Yandex.*(?:Mail|ImageProxy)|Mail\.RU|ProtonMail|SeznamEmailProxy|Superhuman/i,
];

/** Apple Mail without Privacy Protection, and other providers' fetchers that pretend to be it: the two cannot be told apart. */
const BARE_WEBKIT = /AppleWebKit\/[\d.]+ \(KHTML, like Gecko\)(?: Mobile\/\w+)?$/;

const SCANNERS = [
  // Gateways that say who they are.
  /barracuda|mimecast|proofpoint|urldefense|ironport|cisco.*(?:email|secure)|symantec|messagelabs|trend ?micro|forcepoint|sophos/i,
  /fireeye|trellix|fortiguard|fortimail|hornetsecurity|mailmarshal|spamtitan|avanan|checkpoint|vade|zerofox|urlscan|virustotal/i,
  // Microsoft Defender and Safe Links.
  /safelinks|BingPreview|Microsoft Office Existence Discovery|SkypeUriPreview|MSOffice.*Defender/i,
];

/** Braze, Klaviyo, Iterable and their like fetch as servers do, some by name, most as the library that they use. */
const SENDERS =
  /braze|appboy|klaviyo|iterable|customer\.?io|mailchimp|mandrill|sailthru|moengage|exacttarget|salesforce|dotdigital|sendgrid|^(?:python|aiohttp|axios|node|undici|got|okhttp|java|jakarta|apache-httpclient|go-http-client|ruby|faraday|typhoeus|guzzle|php|curl|wget|libwww|dart|rest-client|http\.rb)\b/i;

/** Whose networks gateways and clouds are: nobody reads mail there (`request.cf.asOrganization`). */
const GATEWAYS = /barracuda|mimecast|proofpoint|ironport|messagelabs|symantec|trend ?micro|forcepoint|sophos|fireeye/i;
const CLOUDS =
  /amazon|microsoft|google (?:llc|cloud)|digitalocean|ovh|hetzner|linode|oracle|contabo|scaleway|vultr|choopa/i;

export function classifyFetcher({ headers, method, cf }: Request, form: Form): Fetcher {
  const agent = headers.get("user-agent")?.trim() ?? "";
  const network = String((cf as IncomingRequestCfProperties | undefined)?.asOrganization ?? "");
  const isImage = typeof form === "object";
  if (PROXIES.some((pattern) => pattern.test(agent))) return "proxy";
  if (GATEWAYS.test(network) || SCANNERS.some((pattern) => pattern.test(agent))) return "scanner";
  if (!agent || SENDERS.test(agent)) return "sender";
  // Crawlers, previews of messengers, browsers without a screen. The content itself stands in no e-mail that they could read.
  if (isbot(agent)) return isImage || form === "click" ? "scanner" : "sender";
  if (/prefetch|preview/i.test(`${headers.get("purpose")} ${headers.get("sec-purpose")} ${headers.get("x-purpose")}`))
    return "proxy";
  if (isImage) return CLOUDS.test(network) || BARE_WEBKIT.test(agent) || method === "HEAD" ? "proxy" : "person";
  if (form !== "click") return CLOUDS.test(network) ? "sender" : "person";
  // A browser that follows a link says in which language, and wants the page.
  const isBrowser = method === "GET" && headers.has("accept-language") && !CLOUDS.test(network);
  return isBrowser ? "person" : "scanner";
}
