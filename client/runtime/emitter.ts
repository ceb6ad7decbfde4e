/** Who listens to what: one page, one list. A listener that throws is heard by the others as an `error`, never by the page. */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { Message } from "../../shared/event.ts";
import type { ProblemDocument, WireDecision } from "../../shared/wire.ts";

/** Key → ISO instant until which the visitor is a member if nothing new happens; null = for ever. */
export type Memberships = { [key: string]: string | null };

export interface Warning {
  messageId: string;
  /** JSON Pointer in the message. */
  pointer: string;
  code: string;
  detail: string;
}

export interface Details {
  /** The stored state is there and the first local decisions are made. Late listeners hear it too. */
  ready: { anonymousId: string };
  segments: { segments: Memberships; entered: string[]; exited: string[] };
  /** A slot shows what was decided; `html: null` = what the page has. */
  slot: { slot: string; element: Element; html: string | null; decision: WireDecision };
  /** A message was captured. */
  event: Message;
  /** The Worker has these for good. `warnings`: what it did not take of some. */
  ack: { messageIds: string[]; warnings: Warning[] | undefined };
  /** A message was refused, here or by the Worker, and is gone. */
  rejected: { message: Partial<Message>; problem: Partial<ProblemDocument> };
  error: { error: unknown };
  /** What is allowed from now on, whoever said so. Late listeners hear it too. */
  consent: { mode: ConsentMode; purposes: Consent };
}

export type Emit = <T extends keyof Details>(type: T, detail: Details[T]) => void;
export type On = <T extends keyof Details>(type: T, listener: (detail: Details[T]) => void) => () => void;

const listeners = new Set<(type: string, detail: unknown) => void>();
const last: { [type: string]: unknown } = {};
let told: string | undefined;

export const emit: Emit = (type, detail) => {
  last[type] = detail;
  for (const hear of [...listeners]) hear(type, detail);
};

export const on: On = (wanted, listener) => {
  const hear = (type: string, detail: unknown) => {
    try {
      if (type === wanted) listener(detail as never);
    } catch (error) {
      if (type !== "error") emit("error", { error });
    }
  };
  listeners.add(hear);
  if (/ready|consent/.test(wanted) && last[wanted]) hear(wanted, last[wanted]);
  return () => listeners.delete(hear);
};

/** What is closed to us is so each time: it is told once. */
export const report = (error: unknown): void => {
  if (`${error}` !== told) emit("error", { error });
  told = `${error}`;
};
