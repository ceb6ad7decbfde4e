/**
 * One visit, from the moment consent allows one until it is withdrawn: ties the parts together. Everything that it
 * starts ends with `signal`.
 */
import type { Consent, ConsentMode } from "../../shared/consent.ts";
import type { Subject } from "../../shared/engine/types.ts";
import type { JsonObject, Message } from "../../shared/event.ts";
import type { PublicManifest } from "../../shared/manifest.ts";
import type { Load } from "./api.ts";
import { grantedOf } from "./consent.ts";
import { openDatabase } from "./database.ts";
import { createDecisions } from "./decisions.ts";
import { createDelivery } from "./delivery.ts";
import { emit, type Memberships, report } from "./emitter.ts";
import { PREFIX, watchEngagement } from "./engagement.ts";
import { takeHanded } from "./handed.ts";
import { toHistoryEvent } from "./message.ts";
import { createOutbox } from "./outbox.ts";
import { watchPages } from "./page.ts";
import { createSegments } from "./segments.ts";
import { type Content, createSlots } from "./slots.ts";
import { nobody, openStore, type Save, type State } from "./store.ts";
import { holds } from "./timer.ts";

type Watch = typeof import("./watch.ts");

export interface Visit {
  state: Readonly<State>;
  /** Messages that the Worker has not acked yet, oldest first, other tabs' included. */
  list(limit: number): Promise<Message[]>;
  /** Puts contents into the slots of their names. */
  fill(contents: Content[]): void;
  /** Stamps it with who it was, keeps it, and lets it be sent and decided upon. */
  capture(draft: Message): void;
  /** Takes user and traits from the message, then captures it. */
  identify(draft: Message): void;
  reset(): void;
  flush(): Promise<void>;
  segments(): Memberships;
  /** Decides anew, and asks the edge to: what may be used for it has changed. */
  decide(): void;
  subject(): Subject;
}

/**
 * @param name of the store, the lock and the channel.
 * @param track and `view` capture what the visit itself sees: exposures, clicks, page views.
 * @param mark hears whom the Worker may know from now on.
 * @param carried state of a visit under another mode.
 * @param begin takes the visit; the calls that waited go before anything is decided.
 */
export async function startVisit(
  name: string,
  endpoint: string,
  key: string,
  load: Load,
  purposes: () => Consent,
  context: () => JsonObject,
  track: (event: string, properties: JsonObject) => void,
  view: () => void,
  mark: (state: State) => void,
  mode: ConsentMode,
  manifest: Promise<PublicManifest | undefined>,
  carried: Partial<State>,
  begin: (visit: Visit) => void,
  signal: AbortSignal,
): Promise<void> {
  let found = (_slots: string[]) => {};
  /** The first local decisions are made; the page view is captured, and questions may be asked. */
  let isReady = false;
  let isViewed = false;
  let part: Promise<ReturnType<Watch["watchPage"]>> | undefined;
  /** Loaded by pages that have something to watch. */
  const watching = (use: (watched: ReturnType<Watch["watchPage"]>) => void) => {
    part ??= load("watch").then(({ watchPage }) => watchPage(track, signal));
    part.then(use).catch(report);
  };
  // Before anything is awaited, so that slots are hidden before they are painted.
  const sends = mode !== "memory";
  const [state, keep, recall] = openStore(name, mode, carried, signal);
  let handed = takeHanded(mode, state);
  const [fill, names] = createSlots(
    sends,
    !!handed,
    (names) => {
      if (document.querySelector("[data-attune-track]")) watching(() => {});
      found(names);
    },
    (element, decision) => {
      watching(([, watch]) => watch(element));
      emit("slot", { slot: decision.slot, element, html: decision.html, decision });
    },
    signal,
  );

  const run = mode === "full" ? openDatabase(name) : async () => undefined;

  let channel: BroadcastChannel | undefined;
  const save: Save = (changes) => {
    channel?.postMessage(changes);
    keep(changes);
  };
  /** What another page, or this one, has saved. */
  const take = (changes: Partial<State>) => {
    Object.assign(state, changes);
    // What was for somebody else, or is not allowed any more, is not shown until the edge has answered.
    const { slots } = changes;
    if (slots)
      fill(
        names()
          .filter((slot) => !slots[slot])
          .map((slot) => ({ slot, html: null }) as Content),
      );
    // The person changed: what is being decided is for another, or for less.
    if (changes.traits) want(true);
    decide();
  };
  const open = () => {
    // The ids of a tab are its own: it has nothing to say to others.
    if (mode !== "full") return;
    channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => (data.type ? see(data) : take(data));
  };
  const close = () => {
    channel?.close();
    channel = undefined;
  };

  const [add, list, own, settle] = createOutbox(run, signal);
  const [poke, flush, carry] = createDelivery(
    `${name}.lock`,
    endpoint,
    key,
    () => ({ anonymousId: state.anonymousId, mode, wiped: state.wiped }),
    list,
    own,
    (messages, answer) => {
      const { wiped } = state;
      const { anonymousId = state.anonymousId } = answer;
      // The edge knows more than the token says now; and what a wiped device was before.
      if (messages.length || wiped) save({ token: null, anonymousId, wiped: false });
      if (wiped) mark(state);
      return settle(messages, answer);
    },
    () => again(),
    signal,
  );

  const subject = (): Subject => ({
    id: state.stableId ?? state.anonymousId,
    traits: state.traits,
    events: state.events,
    context: context(),
    consent: grantedOf(purposes()),
  });
  const [use, see, decide, members] = createSegments(
    state,
    save,
    keep,
    subject,
    load,
    () => isViewed && want(),
    signal,
  );

  const record = (message: Message) => {
    if (!purposes().analytics) return;
    if (message.type === "page") turnPage(message);
    emit("event", message);
    if (sends) add(message).then(poke);
    const event = toHistoryEvent(message);
    // What the edge said is of before; a question that does not carry this itself must not be answered by it.
    keep({ token: null });
    // It alone, not the history with it: two tabs that see something at once lose neither.
    channel?.postMessage(event);
    see(event);
  };
  const capture = (draft: Message) => {
    const { anonymousId, userId } = state;
    record({ anonymousId, ...(userId && { userId }), ...draft });
  };
  const turnPage = watchEngagement(state, save, record, view, signal);

  let isAsked = false;
  const [want, again, more] = createDecisions(
    state,
    save,
    members,
    (segments, slots = names()) => {
      const { userId, token } = state;
      // Segments that only the edge can decide are asked for where there is no slot, too.
      if (!slots.length && !(sends && state.manifest?.partial)) return;
      isAsked = true;
      const answer = handed;
      handed = undefined;
      if (answer) {
        // What is decided here, the edge has not heard of.
        answer.segments = { ...members(), ...answer.segments };
        watching(([, , review]) => review(answer, slots, context()["device"], list, want));
        return answer;
      }
      return carry({ userId, token, slots, context: context(), local: { segments } });
    },
    (contents) => {
      watching(([count]) => contents.forEach(count));
      fill(contents);
    },
    () => decide(),
    signal,
  );

  /** What was kept for a purpose that is not granted goes. */
  const shed = (person: Partial<State>) => {
    const { analytics, personalization } = purposes();
    if (!analytics) {
      settle(own(), { title: "Analytics is not allowed" });
      run((store) => store.clear(), "strict");
      turnPage();
    }
    const pages = Object.keys(state).filter((key) => key.startsWith(PREFIX));
    const less = {
      ...person,
      ...(!analytics && { events: [], ...Object.fromEntries(pages.map((key) => [key])) }),
      ...(!personalization && { traits: {}, slots: {} }),
    };
    save(less);
    if (sends) mark(state);
    return less;
  };
  const become = (person: Partial<State>) => take(shed(person));

  shed({});
  open();
  signal.addEventListener("abort", close);
  // With a channel that is open, the page would be dropped from the back/forward cache by the next one's first word.
  addEventListener("pagehide", close, { signal });
  addEventListener(
    "pageshow",
    ({ persisted }) => {
      if (!persisted) return;
      open();
      const stored = recall();
      // What nobody has is not stored.
      if (stored.anonymousId) take({ ...nobody(), ...stored });
      view();
    },
    { signal },
  );

  begin({
    state,
    list,
    fill,
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
    decide() {
      become({ traits: state.traits, segments: {}, token: null });
    },
    subject,
  });

  found = (slots) => {
    if (!handed) fill(slots.map((slot) => state.slots[slot]!).filter((content) => content && holds(content.until)));
    if (isViewed && slots[0]) more(slots);
    // The view goes with the first question. A page without a body has no title yet.
    if (isViewed || !isReady || !document.body) return;
    isViewed = true;
    watchPages(view, turnPage, signal);
    want();
  };
  found(names());
  if (state.manifest) await use(state.manifest);
  if (signal.aborted) return;
  isReady = true;
  found([]);
  addEventListener("DOMContentLoaded", () => found([]), { signal });
  emit("ready", { anonymousId: state.anonymousId });

  const current = await manifest;
  if (!current || signal.aborted) return;
  await use(current);
  // Only now it is known that there is something to ask.
  if (!isAsked) want();
}
