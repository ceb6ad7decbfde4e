/** `attune site create` and `attune key create`: a site with its keys, in one line, on a running Worker. */
import { callApi, findAdmin, findSite } from "./api.ts";
import { readOptions } from "./options.ts";
import { Failure } from "./project.ts";

interface NewSite {
  id: string;
  writeKey: string;
  secretKey: string;
}

export async function runSite(args: string[]): Promise<undefined> {
  const { values, positionals } = readOptions(
    args,
    {
      url: { type: "string" },
      name: { type: "string" },
      "time-zone": { type: "string" },
      consent: { type: "string" },
      "consent-region": { type: "string" },
    },
    true,
  );
  const [action, domain, ...rest] = positionals;
  if (action !== "create" || !domain || rest.length > 0) throw new Failure("Usage: site create <domain> [--url …]", 2);
  const admin = await findAdmin(values.url);
  const origin = readOrigin(domain);
  const { body: site } = await callApi<NewSite>(admin, "POST", "/api/sites", {
    name: values.name ?? new URL(origin).host,
    origins: [origin],
    ...(values["time-zone"] ? { timeZone: values["time-zone"] } : {}),
    ...(values.consent ? { consentDefault: values.consent } : {}),
    ...(values["consent-region"] ? { consentRegion: values["consent-region"] } : {}),
  });
  say(`Site ${site.id} for ${origin}
  write key   ${site.writeKey}
  secret key  ${site.secretKey}   shown this once

Into the head of the pages of ${origin}:
${buildTag(admin.url, site.writeKey)}`);
}

export async function runKey(args: string[]): Promise<undefined> {
  const { values, positionals } = readOptions(
    args,
    {
      url: { type: "string" },
      kind: { type: "string", default: "secret" },
      label: { type: "string", default: "Made on the command line" },
    },
    true,
  );
  if (positionals[0] !== "create" || positionals.length > 1) {
    throw new Failure("Usage: key create [--kind write|secret] [--label <text>] [--url …]", 2);
  }
  const { kind, label } = values;
  const { body } = await callApi<{ id: string; key: string }>(findSite(values.url), "POST", "/api/keys", {
    kind,
    label,
  });
  say(`${kind} key  ${body.key}${kind === "secret" ? "   shown this once" : ""}`);
}

/** Before the script's tag. An element with this id is no queue. */
export const STUB = `  // Keeps calls that are made before the script has arrived.
  if (!window.attune?.push) window.attune = [];
  for (const name of "track page identify alias group reset consent on flush".split(" "))
    attune[name] ??= (...args) => attune.push([name, ...args]);
`;

/** What a page includes. */
function buildTag(url: string, writeKey: string): string {
  return `<script>
${STUB}</script>
<script async src="${url}/attune.js" data-key="${writeKey}"></script>`;
}

/** A host becomes its https origin; localhost stays http. @throws {Failure} */
export function readOrigin(domain: string): string {
  const local = /^(localhost|127\.0\.0\.1)(:|$)/.test(domain);
  try {
    const url = new URL(/^https?:\/\//.test(domain) ? domain : `${local ? "http" : "https"}://${domain}`);
    if (url.hostname.includes(".") || local) return url.origin;
  } catch {
    // said below
  }
  throw new Failure(
    `"${domain}" is not a domain: give one like shop.example, or an origin like https://shop.example.`,
    2,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
