/** Wires the parts, puts the result on the window and answers the calls that waited there. */
import { type Attune, createApi, type Lazy } from "./api.ts";
import { createConsent } from "./consent.ts";
import { buildContext } from "./context.ts";
import { createEmitter } from "./emitter.ts";
import { fetchManifest } from "./manifest.ts";
import { isMode, type Options } from "./options.ts";
import { createRuntime } from "./runtime.ts";
import { startVisit } from "./visit.ts";

/** `attune` is the stub's queue, or what an earlier call has put there. */
export const page = globalThis as unknown as { attune?: Attune | Parameters<Attune["push"]> };

/**
 * Once in a page: whoever calls sees to it.
 * @param options `host` is needed; any address of the Worker will do.
 * @param lazy loads the lazy part.
 * @throws where `host` is no address.
 */
export function createAttune({ key, host, path = "/a", consent }: Options, lazy: () => Promise<Lazy>): Attune {
  const waiting = page.attune;
  const endpoint = `${new URL(path, host)}`;
  const name = `attune.${key}`;
  const [on, emit] = createEmitter();
  const [mode, purposes, choose, recall] = createConsent(name, isMode(consent) ? consent : undefined);
  const report = (error: unknown) => emit("error", { error });
  const context = () => ({ ...buildContext(), consent: { categoryPreferences: purposes() } });
  const [visit, run, turn] = createRuntime(
    name,
    mode,
    () => fetchManifest(endpoint, key, report),
    (...visit) =>
      startVisit(
        name,
        endpoint,
        key,
        purposes,
        context,
        (event, properties) => attune.track(event, properties),
        () => attune.page(),
        emit,
        report,
        ...visit,
      ),
    report,
  );
  const say = (choice: unknown) => {
    const { anonymousId, userId } = visit()?.state ?? {};
    const wasSent = mode() !== "memory";
    choose(choice);
    // The edge knows this visitor: what it may keep and use changes there, too.
    if (anonymousId && wasSent) {
      const body = JSON.stringify({ writeKey: key, anonymousId, userId, purposes: purposes() });
      fetch(`${endpoint}/consent`, { method: "POST", body, keepalive: true, credentials: "omit" }).then(turn, report);
    }
    turn();
    emit("consent", { mode: mode() ?? "off", purposes: purposes() });
  };
  const attune = createApi(visit, run, context, say, on, emit, lazy, name, key, mode, purposes, endpoint);
  // What a developer has left open in this tab.
  run(() => sessionStorage[`${name}.debug`] && attune.debug());
  page.attune = attune;
  if (Array.isArray(waiting)) attune.push(...waiting);

  addEventListener("storage", (event) => {
    if (event.key !== name) return;
    recall();
    turn();
  });
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", turn, { once: true });
  } else turn();
  return attune;
}
