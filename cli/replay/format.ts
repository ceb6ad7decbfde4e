/** What a clickstream format is, and which of them a file is in: told by its first line, not by its name. */
import type { Message } from "../../shared/event.ts";
import { Failure } from "../project.ts";
import { segment } from "./segment.ts";
import { snowplow } from "./snowplow.ts";
import { readText } from "./text.ts";
import { yoochoose } from "./yoochoose.ts";

/** A record of the file as a message, or why it cannot be one. */
export type Read = { message: Message } | { unreadable: string };

export interface Format {
  name: string;
  recognizes(firstLine: string): boolean;
  /** In the order of the file. A message's id depends on the file alone, so that a resend changes nothing. */
  read(chunks: AsyncIterable<string>): AsyncGenerator<Read>;
}

const FORMATS: readonly Format[] = [segment, yoochoose, snowplow];

/** @throws {Failure} when no format recognizes the file. */
export async function findFormat(path: string): Promise<Format> {
  let head = "";
  for await (const chunk of readText(path)) {
    head += chunk;
    if (head.includes("\n") || head.length > 100_000) break;
  }
  const firstLine =
    head
      .split("\n", 1)[0]
      ?.replace(/^\uFEFF/, "")
      .trim() ?? "";
  const format = FORMATS.find((candidate) => candidate.recognizes(firstLine));
  if (format) return format;
  throw new Failure(
    `${path} is none of: Segment messages (NDJSON), YooChoose clicks (SessionId, ItemId, Time), Snowplow events (CSV or TSV with a header)`,
  );
}
