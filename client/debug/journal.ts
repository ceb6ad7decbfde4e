/** What was heard in this page since the panel or a simulation began. */
import type { Message } from "../../shared/event.ts";
import type { Attune } from "../runtime/api.ts";
import type { Details } from "../runtime/emitter.ts";
import { plural } from "./format.ts";

const LENGTH = 200;

export interface Note {
  /** Unique, rising. */
  id: number;
  at: number;
  kind: keyof Details | "simulated";
  text: string;
  /** What was heard, as JSON; left out where the text says it all. */
  detail?: unknown;
}

export interface Captured {
  id: string;
  name: string;
  at: number;
  state: "waiting" | "acked" | "refused";
  /** Why it was refused. */
  problem?: string;
}

export interface Journal {
  /** Newest first. */
  notes: Note[];
  /** Newest first. */
  events: Captured[];
  add(kind: Note["kind"], text: string, detail?: unknown): void;
}

/** @param heard is called after each note. */
export function keepJournal(
  { on }: Attune,
  heard: (kind: Note["kind"], detail: unknown) => void,
  signal: AbortSignal,
): Journal {
  const notes: Note[] = [];
  const events: Captured[] = [];
  let count = 0;

  const add: Journal["add"] = (kind, text, detail) => {
    notes.unshift({ id: ++count, at: Date.now(), kind, text, ...(detail !== undefined && { detail }) });
    notes.splice(LENGTH);
  };
  const listen = <T extends keyof Details>(type: T, note: (detail: Details[T]) => void) => {
    const stop = on(type, (detail) => {
      note(detail);
      heard(type, detail);
    });
    signal.addEventListener("abort", stop);
  };
  const settle = (id: string | undefined, state: Captured["state"], problem?: string) => {
    for (const event of events) if (event.id === id) Object.assign(event, { state, problem });
  };

  listen("ready", ({ anonymousId }) => add("ready", `The visit is there, of ${anonymousId}`));
  listen("segments", ({ segments, entered, exited }) => {
    for (const key of entered) add("segments", `Entered ${key}`, { until: segments[key] });
    for (const key of exited) add("segments", `Left ${key}`);
  });
  listen("slot", ({ slot, html, decision }) =>
    add(
      "slot",
      `${slot} shows ${html === null ? "the page’s own content" : decision.variant} (${decision.reason})`,
      decision,
    ),
  );
  listen("event", (message) => {
    events.unshift({ id: message.messageId, name: nameOf(message), at: Date.now(), state: "waiting" });
    events.splice(LENGTH);
    add("event", `Captured ${nameOf(message)}`, message);
  });
  listen("ack", ({ messageIds }) => {
    for (const id of messageIds) settle(id, "acked");
    add("ack", `The Worker has ${plural(messageIds.length, "message")} for good`, messageIds);
  });
  listen("rejected", ({ message, problem }) => {
    const text = [problem.title, problem.detail].filter(Boolean).join(": ");
    // What is refused here was never captured.
    if (!message.messageId)
      events.unshift({ id: `${++count}`, name: nameOf(message), at: Date.now(), state: "refused" });
    settle(message.messageId ?? `${count}`, "refused", text);
    add("rejected", `Refused ${nameOf(message)}: ${text}`, { message, problem });
  });
  listen("error", ({ error }) => add("error", textOf(error), typeof error === "object" ? error : undefined));
  listen("consent", ({ mode, purposes }) => add("consent", `Consent is ${mode} now`, purposes));

  return { notes, events, add };
}

/** What people call it: the name of an event or page, with the type where that is not `track`. */
export function nameOf({ type, event, name }: Partial<Message>): string {
  return event ?? [type, name].filter(Boolean).join(" ");
}

export function textOf(error: unknown): string {
  const { detail, message, title } = (error ?? {}) as { detail?: string; message?: string; title?: string };
  return detail ?? message ?? title ?? `${error}`;
}
