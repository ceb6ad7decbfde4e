/** One page in three frameworks: a button that counts, one that takes the slot away, and the slot between them. */
import * as esbuild from "esbuild";
import type { Browser } from "playwright-core";
import { compile } from "svelte/compiler";

export type Framework = "react" | "vue" | "svelte";

/** `hydrate(waits)`: with `waits`, the slot's part of the page hydrates when `arrive()` is called; in Svelte, all of it. */
const REACT = (slot: string) => `
import { createElement as h, lazy, StrictMode, Suspense, useState } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server.browser";
function Page() {
  const [count, setCount] = useState(0);
  const [there, setThere] = useState(true);
  return h("main", null,
    h("button", { id: "count", onClick: () => setCount(count + 1) }, "Count " + count),
    there && ${slot},
    h("button", { id: "toggle", onClick: () => setThere(!there) }, "Toggle"));
}
const arrived = new Promise((resolve) => { window.arrive = resolve; });
const Later = lazy(() => arrived.then(() => ({ default: Page })));
const tree = (inner) => h(StrictMode, null, h("h1", null, "React"), h(Suspense, { fallback: null }, h(inner)));
window.render = () => renderToString(tree(Page));
window.hydrate = (waits) => window.root = hydrateRoot(document.getElementById("root"), tree(waits ? Later : Page));
window.leave = () => window.root.unmount();
`;

const VUE = (slot: string) => `
import { createSSRApp, defineAsyncComponent, h, ref, Suspense } from "vue";
import { renderToString } from "vue/server-renderer";
const Page = {
  setup() {
    const count = ref(0);
    const there = ref(true);
    return () => h("main", null, [
      h("button", { id: "count", onClick: () => count.value++ }, "Count " + count.value),
      there.value ? ((count) => ${slot})(count.value) : null,
      h("button", { id: "toggle", onClick: () => { there.value = !there.value; } }, "Toggle")]);
  },
};
const arrived = new Promise((resolve) => { window.arrive = resolve; });
const Later = defineAsyncComponent(() => arrived.then(() => Page));
const app = (inner) => createSSRApp(() => [h("h1", null, "Vue"), h(inner)]);
window.render = () => renderToString(app(Page));
window.hydrate = (waits) => { window.app = app(waits ? Later : Page); window.app.mount("#root"); };
window.leave = () => window.app.unmount();
`;

const SVELTE = (slot: string) => `
<script>
  let count = $state(0);
  let there = $state(true);
</script>
<main>
  <h1>Svelte</h1>
  <button id="count" onclick={() => count++}>Count {count}</button>
  {#if there}${slot}{/if}
  <button id="toggle" onclick={() => (there = !there)}>Toggle</button>
</main>
`;

const SVELTE_PAGE = `
import { hydrate, unmount } from "svelte";
import { render } from "svelte/server";
import Client from "page.client.svelte";
import Server from "page.server.svelte";
window.render = () => render(Server).body;
window.arrive = () => { window.app = hydrate(Client, { target: document.getElementById("root") }); };
window.hydrate = (waits) => waits || window.arrive();
window.leave = () => unmount(window.app);
`;

/**
 * The page's body as its framework renders it on a server, with a script that defines `hydrate`, `arrive` and `leave`.
 * `slot` is source in that framework, with `count` in its scope.
 */
export async function buildFrameworkPage(browser: Browser, framework: Framework, slot: string): Promise<string> {
  const svelte: esbuild.Plugin = {
    name: "svelte",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^page\.(client|server)\.svelte$/ }, ({ path }) => ({ path, namespace: "svelte" }));
      onLoad({ filter: /./, namespace: "svelte" }, ({ path }) => ({
        contents: compile(SVELTE(slot), { generate: path.includes("client") ? "client" : "server", dev: false }).js
          .code,
        resolveDir: import.meta.dirname,
      }));
    },
  };
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: framework === "svelte" ? SVELTE_PAGE : (framework === "react" ? REACT : VUE)(slot),
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    format: "iife",
    write: false,
    conditions: ["browser"],
    plugins: [svelte],
    define: {
      "process.env.NODE_ENV": '"development"',
      __VUE_OPTIONS_API__: "true",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true",
    },
    logLevel: "silent",
  });
  const script = outputFiles[0]!.text.replaceAll("</script", "<\\/script");
  const server = await browser.newPage();
  await server.addScriptTag({ content: script });
  const body = await server.evaluate(() => (window as unknown as { render(): string | Promise<string> }).render());
  await server.close();
  return `<div id="root">${body}</div><script>${script}</script>`;
}
