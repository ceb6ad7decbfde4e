/**
 * A Shopify web pixel: sends what the shop's visitors do from inside the pixel's sandbox, where there is no page. Waits in
 * memory for what the Worker has not answered, as long as the page is there.
 */
import type { Consent } from "../../shared/consent.ts";
import type { JsonObject, Message } from "../../shared/event.ts";
import { type ShopifyEvent, toEvent } from "./shopify-event.ts";

/** https://shopify.dev/docs/api/web-pixels-api/pixel-privacy */
export interface CustomerPrivacy {
  analyticsProcessingAllowed: boolean;
  marketingAllowed: boolean;
  preferencesProcessingAllowed: boolean;
  saleOfDataAllowed: boolean;
}

/** What a pixel is given, by Shopify's names, and which site of Attune it feeds. */
export interface ShopifyOptions {
  /** The site's write key, `pk_…`. */
  key: string;
  /** Origin of the Worker. */
  host: string;
  /** Where its public plane is there. Default: `/a`. */
  path?: string;
  analytics: { subscribe(name: string, listener: (event: ShopifyEvent) => void): unknown };
  /** Reads of the page around the sandbox. */
  browser: { localStorage: { getItem(name: string): Promise<string | null> } };
  init: { customerPrivacy?: CustomerPrivacy; data?: { customer?: { id?: string | null } | null } };
  customerPrivacy?: {
    subscribe(name: string, listener: (event: { customerPrivacy: CustomerPrivacy }) => void): unknown;
  };
}

const BATCH_EVENTS = 20;
const WAITING_EVENTS = 200;
const RETRY_MS = 5_000;
/** keepalive requests share 64 KiB in flight: what is larger goes without, or not at all. */
const KEEPALIVE_BYTES = 60_000;
/** Pages of Shopify's own, where no script of the theme is. */
const OUTSIDE = /^(\/\d+)?\/(checkouts|orders)\//;

/**
 * Sends the standard events, each once whatever is sent again, while the visitor allows analytics. The visitor is who the
 * script in the theme says, where it runs with consent `full`, otherwise Shopify's client id; a customer who is logged in
 * or orders is a user. Page views and searches that the script sees by itself are left to it.
 */
export function connectShopify(options: ShopifyOptions): void {
  const { key, host, path = "/a", analytics, browser, init, customerPrivacy } = options;
  const endpoint = `${new URL(path, host)}`;
  let privacy = init.customerPrivacy;
  /** Whom the Worker has heard of. */
  let known: { anonymousId: string; userId?: string } | undefined;
  let told = "";
  let waiting: Message[] = [];
  /** What is allowed, until the Worker has heard of it. */
  let unheard: JsonObject | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending = false;

  const purposes = (): Consent => ({
    necessary: true,
    analytics: privacy?.analyticsProcessingAllowed === true,
    personalization: privacy?.preferencesProcessingAllowed === true,
    marketing: privacy?.marketingAllowed === true && privacy.saleOfDataAllowed !== false,
  });
  /** @throws where it is to be sent again */
  const post = async (route: string, content: JsonObject) => {
    // A string as body goes as text/plain: no preflight.
    const body = JSON.stringify({ writeKey: key, sentAt: new Date().toISOString(), ...content });
    const keepalive = new Blob([body]).size < KEEPALIVE_BYTES;
    const { status } = await fetch(endpoint + route, { method: "POST", body, keepalive });
    if (status === 408 || status === 429 || status >= 500) throw status;
  };

  const flush = async () => {
    clearTimeout(timer);
    if (sending) return;
    sending = true;
    try {
      while (unheard || waiting.length > 0) {
        const said = unheard;
        const batch = waiting.slice(0, BATCH_EVENTS);
        await (said ? post("/consent", said) : post("/batch", { batch }));
        if (!said) waiting = waiting.filter((message) => !batch.includes(message));
        else if (said === unheard) unheard = undefined;
      }
    } catch {
      timer = setTimeout(flush, RETRY_MS);
    }
    sending = false;
  };

  /** The script in the theme keeps whom it speaks of beside the visitor's choice. */
  const readVisitor = async (): Promise<string | undefined> => {
    try {
      const { who } = JSON.parse((await browser.localStorage.getItem(`attune.${key}`)) ?? "{}");
      return who?.anonymousId;
    } catch {
      return undefined;
    }
  };

  /** @param visitor whom the script in the theme speaks of */
  const toMessages = (event: ShopifyEvent, visitor: string | undefined): Message[] => {
    const { location, referrer, title } = event.context.document;
    const page = { path: location.pathname, url: location.href, search: location.search, referrer, title };
    const { email, phone, order } = event.data?.checkout ?? {};
    const userId = order?.customer?.id ?? init.data?.customer?.id;
    const anonymousId = visitor ?? event.clientId ?? event.id;
    known = { anonymousId, ...(userId && { userId }) };
    const base = {
      ...known,
      timestamp: event.timestamp,
      context: {
        page,
        locale: event.context.navigator.language,
        userAgent: event.context.navigator.userAgent,
        library: { name: "attune-shopify", version: "1" },
        consent: { categoryPreferences: purposes() },
      },
    };
    const messages: Message[] = [];
    const traits = { ...(email && { email }), ...(phone && { phone }) };
    const who = JSON.stringify([userId, traits]);
    if (who !== told && (userId || email || phone)) {
      told = who;
      messages.push({ ...base, type: "identify", messageId: `${event.id}-identify`, traits });
    }
    if (/^(page_viewed|search_submitted)$/.test(event.name) && visitor && !OUTSIDE.test(location.pathname))
      return messages;
    if (event.name === "page_viewed") messages.push({ ...base, type: "page", messageId: event.id, properties: page });
    const track = toEvent(event);
    if (track) messages.push({ ...base, type: "track", messageId: event.id, event: track[0], properties: track[1] });
    return messages;
  };

  /** One after another: whom they are of is read between. */
  let last = Promise.resolve();
  analytics.subscribe("all_standard_events", (event) => {
    last = last.then(async () => {
      if (!purposes().analytics) return;
      try {
        const visitor = await readVisitor();
        // Withdrawn meanwhile.
        if (!purposes().analytics) return;
        waiting = [...waiting, ...toMessages(event, visitor)].slice(-WAITING_EVENTS);
        flush();
      } catch {
        // An event that cannot be read is none of ours.
      }
    });
  });
  customerPrivacy?.subscribe("visitorConsentCollected", (event) => {
    privacy = event.customerPrivacy;
    if (!purposes().analytics) waiting = [];
    // Who has been sent may be kept and used as is said now.
    if (known) unheard = { ...known, purposes: purposes(), at: new Date().toISOString() };
    flush();
  });
}
