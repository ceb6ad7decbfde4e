/**
 * Cursors of lists of a profile's events. A cursor is part of an address: it names the identifier of an event by its birth id,
 * which tells nothing of anybody.
 */
import * as z from "zod";
import type { EventPlace } from "../db/events.ts";
import type { IdentifierRow } from "../db/identifiers.ts";
import { readCursor } from "./schemas.ts";

type Nodes = readonly Pick<IdentifierRow, "identifier" | "birthId">[];

const Schema = z.tuple([z.number(), z.string(), z.string()]).nullable();
type EventCursor = z.infer<typeof Schema>;

/** @returns null for the first page. @throws Problem for what is no such cursor */
export function readEventCursor(cursor: string | undefined): EventCursor {
  return readCursor(cursor, Schema, null);
}

/** The place that a cursor names among the events of a profile. */
export function toEventPlace(cursor: EventCursor, nodes: Nodes): EventPlace | null {
  if (!cursor) return null;
  const [at, messageId, birthId] = cursor;
  return { at, messageId, owner: nodes.find((node) => node.birthId === birthId)?.identifier ?? "" };
}

/** What a cursor holds of the place of an event. */
export function toEventCursor({ at, messageId, owner }: EventPlace, nodes: Nodes): EventCursor {
  return [at, messageId, nodes.find(({ identifier }) => identifier === owner)?.birthId ?? ""];
}
