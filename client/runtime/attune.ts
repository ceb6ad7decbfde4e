/** The script tag's entry: reads the tag, wires the parts, answers the calls that came before. */
import { type Attune, createApi } from "./api.ts";
import { createConsent } from "./consent.ts";
import { buildContext } from "./context.ts";
import { createEmitter } from "./emitter.ts";
import { fetchManifest } from "./manifest.ts";
import { readOptions } from "./options.ts";
import { createRuntime } from "./runtime.ts";
import { startVisit } from "./visit.ts";

const page = window as { attune?: Attune | Parameters<Attune["push"]> };
const waiting = page.attune;
const script = document.currentScript as HTMLScriptElement | null;

// Included twice: the first one stays.
if (script?.dataset["key"] && !(waiting as Attune | undefined)?.version) {
  const [key, endpoint, preset] = readOptions(script);
  const name = `attune.${key}`;
  const [on, emit] = createEmitter();
  const [mode, purposes, choose, recall] = createConsent(name, preset);
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
  const attune = createApi(visit, run, context, say, on, emit, `${new URL("attune.debug.js", script.src)}`, name);
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
}
