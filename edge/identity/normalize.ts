/** E-mail addresses and phone numbers in the one form that all spellings of them share. Refuses what nobody can be reached by. */
import { isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js/min";

/** Octets of a local part and of a whole address (RFC 5321, 4.5.3.1.1; RFC 3696, erratum 1690). */
const LOCAL_BYTES = 64;
const ADDRESS_BYTES = 254;

/** Letters of any script (RFC 6531), none of its symbols. */
const DOT_ATOM = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const QUOTED = /^"((?:[ !#-[\]-~]|\\[ -~])+)"$/;
const ASCII_DOMAIN = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/;
/** Characters that IDNA 2008 allows in a name, and the full stops that it takes for dots. */
const INTERNATIONAL_DOMAIN = /^[\p{L}\p{M}\p{N}.·。．｡-]+$/u;
const ADDRESS_LITERAL = /^\[(?:ipv6:([\da-f:.]+)|([\d.]+))\]$/;

/**
 * An address as RFC 5321 lets mail be sent to, lower-cased, its domain in ASCII: `Ann@Bücher.example` is
 * `ann@xn--bcher-kva.example`. What is quoted without need is unquoted. Dots and tags (`ann+shop@…`) stay: only the
 * provider knows what they mean.
 *
 * @returns null for what no mail server takes: line breaks, comments, display names, wrong lengths
 */
export function normalizeEmail(text: string): string | null {
  const address = text.trim().toLowerCase().normalize("NFC");
  if (/\p{Cc}/u.test(text)) return null;
  const at = address.lastIndexOf("@");
  const local = localOf(address.slice(0, Math.max(at, 0)));
  const domain = domainOf(address.slice(at + 1));
  if (local === null || domain === null) return null;
  const normal = `${local}@${domain}`;
  return bytesOf(local) <= LOCAL_BYTES && bytesOf(normal) <= ADDRESS_BYTES ? normal : null;
}

function localOf(local: string): string | null {
  const quoted = QUOTED.exec(local)?.[1];
  const said = quoted === undefined ? local : quoted.replace(/\\(.)/g, "$1");
  if (DOT_ATOM.test(said)) return said;
  return quoted === undefined ? null : `"${said.replace(/["\\]/g, "\\$&")}"`;
}

function domainOf(domain: string): string | null {
  const [, v6, v4] = ADDRESS_LITERAL.exec(domain) ?? [];
  if (v6 !== undefined) {
    const host = URL.parse(`http://[${v6}]`)?.hostname;
    return host === undefined ? null : `[ipv6:${host.slice(1)}`;
  }
  if (v4 !== undefined) return URL.parse(`http://${v4}`)?.hostname === v4 ? domain : null;
  if (ASCII_DOMAIN.test(domain) && !/(?:^|\.)xn--/.test(domain)) return domain;
  if (!INTERNATIONAL_DOMAIN.test(domain)) return null;
  const host = URL.parse(`http://${domain}`)?.hostname;
  // Digits alone, which a URL takes for an IP address, are of another script here.
  return host !== undefined && ASCII_DOMAIN.test(host) && !/(?:^|\.)\d+$/.test(host) ? host : null;
}

const encoder = new TextEncoder();

function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/**
 * A number in E.164: `+4915123456789`. One with an extension is refused: it is somebody at a switchboard that others
 * share, and E.164 cannot name them.
 *
 * @param region ISO 3166 code of the country in which a number without `+` is dialled; null: such a number is refused
 * @returns null for what no numbering plan has
 */
export function normalizePhone(text: string, region: string | null): string | null {
  // Digits of full width become plain, marks of direction that contact lists copy along are gone.
  const plain = text
    .normalize("NFKC")
    .replace(/\p{Cf}/gu, "")
    .trim()
    .replace(/^tel:/i, "");
  const number = parsePhoneNumberFromString(plain, {
    extract: false,
    ...(region && isSupportedCountry(region) && { defaultCountry: region }),
  });
  return number?.isValid() && !number.ext ? number.number : null;
}

/** True for a country whose numbering plan is known. */
export function isPhoneRegion(region: string): boolean {
  return isSupportedCountry(region);
}
