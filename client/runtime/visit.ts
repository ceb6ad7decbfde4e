/**
 * One visit, from the moment consent allows one until it is withdrawn: ties the parts together. Everything that it
 * starts ends with `signal`.
 */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { Subject } from "../../shared/engine/types.ts";
import type { HistoryEvent, JsonObject, Message } from "../../shared/event.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import { grantedOf } from "./consent.ts";
import { createDecisions } from "./decisions.ts";
import { createDelivery } from "./delivery.ts";
import type { Emit, Memberships } from "./emitter.ts";
import { watchExposures } from "./exposure.ts";
import { isPrecious, toHistoryEvent } from "./message.ts";
import { createOutbox } from "./outbox.ts";
import { watchPages } from "./page.ts";
import { createSegments } from "./segments.ts";
import { type Content, createSlots } from "./slots.ts";
import { nobody, openStore, type State } from "./store.ts";

export interface Visit {
  state: Readonly<State>;
  /** Stamps it with who it was, keeps it, and lets it be sent and decided upon. */
  capture(draft: Message): void;
  /** Takes user and traits from the message, then captures it. */
  identify(draft: Message): void;
  reset(): void;
  flush(): Promise<void>;
  segments(): Memberships;
  /** Decides anew: what may be used for it has changed. */
  decide(): void;
  subject(): Subject;
}

/** What a tab tells the others: an event, or how the person changed. */
type News = [event: HistoryEvent] | [event: undefined, person: Partial<State>];

/**
 * @param name of the store, the lock and the channel.
 * @param track and `view` capture what the visit itself sees: exposures, clicks, page views.
 * @param carried state of a visit under another mode.
 * @param begin takes the visit; the calls that waited go before anything is decided.
 */
export async function startVisit(
  name: string,
  endpoint: string,
  key: string,
  purposes: () => Consent,
  context: () => JsonObject,
  track: (event: string, properties: JsonObject) => void,
  view: () => void,
  emit: Emit,
  report: (error: unknown) => void,
  mode: ConsentMode,
  manifest: Promise<PublicManifest | undefined>,
  carried: Partial<State>,
  begin: (visit: Visit) => void,
  signal: AbortSignal,
): Promise<void> {
  let found = (_slots: string[]) => {};
  // Before anything is awaited, so that slots are hidden before they are painted.
  const sends = mode !== "memory";
  const [fill, reveal, names] = createSlots(sends, (names) => found(names), signal);

  const [state, save, read, write] = await openStore(name, mode, carried, report);
  if (signal.aborted) return;

  // The ids of a tab are its own: it has nothing to say to others.
  const shared = mode === "full" ? name : state.anonymousId;
  const channel = new BroadcastChannel(shared);
  signal.addEventListener("abort", () => channel.close());
  const tell = (...news: News) => channel.postMessage(news);

  const [add, list, own, remove] = createOutbox(read, write);
  const [poke, flush, carry] = createDelivery(
    endpoint,
    key,
    list,
    own,
    (messages) => {
      // The edge knows more than the token says now.
      if (messages.length) save({ token: null });
      return remove(messages);
    },
    emit,
    (work) => navigator.locks.request(shared, work).catch(work),
    signal,
  );

  const subject = (): Subject => ({
    id: state.stableId ?? state.anonymousId,
    traits: state.traits,
    events: state.events,
    context: context(),
    consent: grantedOf(purposes()),
  });
  const [use, see, decide, say, members] = createSegments(state, save, subject, () => want(), emit, signal);

  const capture = (draft: Message) => {
    const { anonymousId, userId } = state;
    const message: Message = { anonymousId, ...(userId && { userId }), ...draft };
    const event = toHistoryEvent(message);
    emit("event", message);
    if (sends) add(message, isPrecious(message)).then(poke);
    tell(event);
    see(event);
  };

  const expose = watchExposures(track, signal);
  const show = (decision: Content, fresh?: boolean) => {
    const { slot, html } = decision;
    try {
      for (const element of fill(decision)) {
        if (fresh) expose(element, decision);
        emit("slot", { slot, element, html, decision });
      }
    } catch (error) {
      // The page's policy refuses our HTML: it keeps its own.
      report(error);
    }
  };
  const [want, recall, forget] = createDecisions(
    state,
    save,
    async () => {
      const { anonymousId, userId, token } = state;
      const slots = names();
      const request = {
        anonymousId,
        userId,
        token,
        slots,
        context: context(),
        local: { segments: Object.keys(members()) },
      };
      return slots.length ? carry(request) : undefined;
    },
    (content) => show(content, true),
    () => {
      reveal();
      say();
    },
    signal,
  );

  /** The person changed: what is being decided is for another, or for less. */
  const become = (person: Partial<State>, heard?: boolean) => {
    save(person, true);
    if (!heard) tell(undefined, person);
    forget();
    decide();
    want();
  };
  channel.onmessage = ({ data: [event, person] }: MessageEvent<News>) => (event ? see(event) : become(person!, true));

  begin({
    state,
    capture,
    identify(draft) {
      const { userId = state.userId, traits } = draft;
      const other = state.userId && userId !== state.userId;
      become({ ...(other && nobody()), userId, traits: { ...(!other && state.traits), ...traits } });
      capture(draft);
    },
    reset() {
      become(nobody());
    },
    flush,
    segments: members,
    decide,
    subject,
  });

  if (state.manifest) use(state.manifest);
  watchPages(view, signal);

  found = (slots) => {
    for (const slot of slots) {
      const content = recall(slot);
      if (content) show(content);
    }
    want();
  };
  found(names());
  emit("ready", { anonymousId: state.anonymousId });

  const current = await manifest;
  if (current && !signal.aborted) use(current);
}
