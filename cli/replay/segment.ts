/** Messages of the Segment spec, one JSON object a line, handed on as they are: the Worker judges them, not the reader. */
import { createHash } from "node:crypto";
import type { Message } from "../../shared/event.ts";
import type { Format, Read } from "./format.ts";
import { readLines } from "./text.ts";

export const segment: Format = {
  name: "Segment messages",

  recognizes: (firstLine) => firstLine.startsWith("{"),

  async *read(chunks): AsyncGenerator<Read> {
    let number = 0;
    for await (const line of readLines(chunks)) {
      number++;
      const text = line.replace(/^\uFEFF/, "").trim();
      if (text === "") continue;
      const message = parseObject(text);
      if (message) yield { message: withId(message, text, number) };
      else yield { unreadable: `line ${number} is not a JSON object` };
    }
  },
};

function parseObject(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

/** A recorded `sentAt` would be taken for what the sender's clock says now, and move the event by years. */
function withId({ sentAt: _, ...message }: Message, text: string, number: number): Message {
  if (message.messageId !== undefined) return message;
  return { ...message, messageId: `replay-${number}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}` };
}
