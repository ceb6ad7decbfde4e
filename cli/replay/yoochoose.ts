/** YooChoose clicks (RecSys Challenge 2015): SessionId, ItemId, Time in Unix seconds. A session is a device, a click a `Product Viewed`. */
import type { Format, Read } from "./format.ts";
import { readLines } from "./text.ts";

const HEADER = /^SessionId\s*[\t,]\s*ItemId\s*[\t,]\s*Time$/i;
const ROW = /^(\d+)[\t,](\d+)[\t,](\d+(?:\.\d+)?)$/;

export const yoochoose: Format = {
  name: "YooChoose clicks",

  recognizes: (firstLine) => HEADER.test(firstLine) || ROW.test(firstLine),

  async *read(chunks): AsyncGenerator<Read> {
    let number = 0;
    for await (const line of readLines(chunks)) {
      number++;
      const text = line.trim();
      if (text === "" || (number === 1 && HEADER.test(text))) continue;
      const [, session, item, seconds] = ROW.exec(text) ?? [];
      if (session === undefined || item === undefined) {
        yield { unreadable: `line ${number} is not SessionId, ItemId, Time` };
        continue;
      }
      yield {
        message: {
          type: "track",
          event: "Product Viewed",
          // The same session may click the same item twice within a millisecond: only the line tells them apart.
          messageId: `yoochoose-${session}-${number}`,
          anonymousId: `yoochoose-${session}`,
          timestamp: new Date(Math.round(Number(seconds) * 1_000)).toISOString(),
          properties: { product_id: item },
        },
      };
    }
  },
};
