/** Where a visitor is, as far as it says what may be assumed of one who has not chosen. Knows codes, keeps nothing. */

/** Where the law wants consent before anything is kept on a device: EU, EEA, United Kingdom, Switzerland. */
const COUNTRIES = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO GB CH";
/**
 * What has a code of its own and the same law, or one made after it: Åland, French territories, Svalbard, Gibraltar,
 * the Crown Dependencies.
 */
const TERRITORIES = "AX BL GF GP MF MQ NC PF PM RE TF WF YT SJ GI GG IM JE";
const STRICT = new Set(`${COUNTRIES} ${TERRITORIES}`.split(" "));

/**
 * ISO 3166-1, and XK, which is Kosovo. Cloudflare says T1 of Tor and XX where it does not know; older sources of places
 * have EU and AP; ISO leaves the others to whoever likes.
 */
const PLACE = /^(?!A[AP]|EU|Q[M-Z]|X[^K]|ZZ)[A-Z]{2}$/;

/** Whether consent comes first where the visitor is: there, or nobody knows where. */
export function asksFirst(cf: Request["cf"]): boolean {
  const { country, isEUCountry } = (cf ?? {}) as { [name: string]: unknown };
  return isEUCountry === "1" || typeof country !== "string" || !PLACE.test(country) || STRICT.has(country);
}
