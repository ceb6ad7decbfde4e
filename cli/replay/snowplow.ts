/** Snowplow's enriched web events (the `atomic.events` columns, CSV or TSV with a header) as Segment messages. */
import { readCsvObjects } from "../../shared/csv.ts";
import type { JsonObject, Message } from "../../shared/event.ts";
import type { Format, Read } from "./format.ts";

type Row = Record<string, string>;

export const snowplow: Format = {
  name: "Snowplow events",

  recognizes: (firstLine) => {
    const names = firstLine.split(/[,\t]/);
    return ["event_id", "event", "domain_userid", "collector_tstamp"].every((name) => names.includes(name));
  },

  async *read(chunks): AsyncGenerator<Read> {
    let number = 0;
    for await (const row of readCsvObjects(chunks)) {
      number++;
      const message = readRow(row);
      yield message ? { message } : { unreadable: `record ${number} has no event_id, person or time` };
    }
  },
};

function readRow(row: Row): Message | undefined {
  const messageId = row["event_id"];
  const anonymousId = row["domain_userid"] || row["network_userid"];
  const userId = row["user_id"];
  const timestamp = readTime(row["derived_tstamp"]) ?? readTime(row["collector_tstamp"]);
  if (!messageId || !(anonymousId || userId) || !timestamp) return undefined;
  return {
    messageId,
    ...(anonymousId && { anonymousId }),
    ...(userId && { userId }),
    timestamp,
    context: buildContext(row),
    ...buildKind(row),
  } as Message;
}

function buildKind(row: Row): Partial<Message> {
  const page = compact({ url: row["page_url"], title: row["page_title"], referrer: row["page_referrer"] });
  switch (row["event"]) {
    case "page_view":
      return {
        type: "page",
        name: row["page_title"] ?? "",
        properties: { ...page, ...compact({ path: row["page_urlpath"], search: row["page_urlquery"] }) },
      };
    case "struct":
      return {
        type: "track",
        event: row["se_action"] || "Structured Event",
        properties: compact({
          category: row["se_category"],
          label: row["se_label"],
          property: row["se_property"],
          value: readNumber(row["se_value"]),
        }),
      };
    case "transaction":
      return {
        type: "track",
        event: "Order Completed",
        properties: compact({
          order_id: row["tr_orderid"],
          affiliation: row["tr_affiliation"],
          revenue: readNumber(row["tr_total"]),
          tax: readNumber(row["tr_tax"]),
          shipping: readNumber(row["tr_shipping"]),
          currency: row["tr_currency"],
        }),
      };
    case "transaction_item":
      return {
        type: "track",
        event: "Order Item",
        properties: compact({
          order_id: row["ti_orderid"],
          product_id: row["ti_sku"],
          name: row["ti_name"],
          category: row["ti_category"],
          price: readNumber(row["ti_price"]),
          quantity: readNumber(row["ti_quantity"]),
        }),
      };
    default:
      return {
        type: "track",
        event: titleOf(row["event_name"] || row["event"] || "Event"),
        properties: { ...page, ...readSelfDescribing(row) },
      };
  }
}

function buildContext(row: Row): JsonObject {
  return compact({
    page: compact({
      url: row["page_url"],
      path: row["page_urlpath"],
      title: row["page_title"],
      referrer: row["page_referrer"],
    }),
    campaign: compact({
      name: row["mkt_campaign"],
      source: row["mkt_source"],
      medium: row["mkt_medium"],
      term: row["mkt_term"],
      content: row["mkt_content"],
    }),
    locale: row["br_lang"],
    timezone: row["os_timezone"],
    userAgent: row["useragent"],
  });
}

/** The JSON of the `unstruct_event_…` columns, which hold one object each. */
function readSelfDescribing(row: Row): JsonObject {
  const properties: JsonObject = {};
  for (const [column, text] of Object.entries(row)) {
    if (!column.startsWith("unstruct_event_") || text === "") continue;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) Object.assign(properties, value);
    } catch {
      // A column that is not JSON says nothing about the event itself, which stays.
    }
  }
  return properties;
}

/** `2021-03-03 21:27:32.695`, which Snowplow writes in UTC without saying so. */
function readTime(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const time = Date.parse(
    `${text
      .trim()
      .replace(" ", "T")
      .replace(/(Z|[+-]\d\d:?\d\d)$/, "")}Z`,
  );
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

function readNumber(text: string | undefined): number | undefined {
  return text === undefined || text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
}

/** `link_click` → `Link Click`: the "Object Action" form of the Segment spec. */
function titleOf(name: string): string {
  return name.replace(/(^|_)([a-z])/g, (_, gap: string, letter: string) => (gap && " ") + letter.toUpperCase());
}

function compact(values: JsonObject): JsonObject {
  const isEmpty = (value: unknown) =>
    value === undefined || value === "" || (typeof value === "object" && Object.keys(value as object).length === 0);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value)));
}
