/** How Attune comes into a page: as a module of the site's bundle, as a tag, both, twice; and into pages that break things. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as esbuild from "esbuild";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { buildClient } from "../../cli/client.ts";
import { ROOT } from "../../cli/project.ts";
import { openStage, type Stage, until, type Visitor } from "./stage.ts";

declare global {
  /** What a site's own module made. */
  var made: (typeof attune)[];
}

let stage: Stage;
let site: string;
beforeAll(async () => {
  stage = await openStage();
  site = await mkdtemp(join(tmpdir(), "attune-entry-"));
  const installed = join(site, "node_modules/attune");
  await buildClient("1.2.3", installed);
});
afterAll(async () => {
  await stage?.close();
  await rm(site, { recursive: true, force: true });
});

/** A module of the site, bundled with its lazy parts apart, at /app/main.js. */
async function bundle(visitor: Visitor, source: string): Promise<string> {
  await writeFile(join(site, "main.js"), source);
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(site, "main.js")],
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    write: false,
    outdir: site,
  });
  await visitor.context.route(`${stage.shopUrl}/app/**`, (route) => {
    const file = outputFiles.find(({ path }) =>
      path.endsWith(new URL(route.request().url()).pathname.slice("/app".length)),
    );
    return route.fulfill({ body: file?.text ?? "", contentType: "text/javascript", status: file ? 200 : 404 });
  });
  return '<script type="module" src="/app/main.js"></script>';
}
const NO_TAG = 'type="text/plain"';
const create = (options: object) =>
  `import { createAttune } from "attune/client"; (globalThis.made ??= []).push(createAttune(${JSON.stringify(options)}));`;
const own = () => ({ key: stage.writeKey, host: inject("workerUrl") });

const isReady = (page: Page) => until(() => page.evaluate(() => heard.some(({ type }) => type === "ready")), "ready");
/** Of what is stored, without what was seen by itself. */
const names = async (visitor: Visitor, id: string) =>
  (await visitor.stored(id))
    .map(({ event, type }) => event ?? type)
    .filter((name) => name !== "Attune Exposure")
    .sort();

/** Everything that the page's own code would notice, from now on. */
function watch(page: Page): string[] {
  const noticed: string[] = [];
  page.on("pageerror", (error) => noticed.push(String(error)));
  page.on("console", (message) => message.type() === "error" && noticed.push(message.text()));
  return noticed;
}

describe("as a module", () => {
  it("captures, decides, fills slots and explains, from the site's own bundle; the stub's calls are answered", async () => {
    const visitor = await stage.visitor();
    const tag = await bundle(visitor, create(own()));
    const page = await visitor.open(
      `<attune-block name="hero">Plain</attune-block><script>attune.track("Early");</script>${tag}`,
      NO_TAG,
    );
    await isReady(page);
    await until(() => page.locator("p.all").count(), "the slot");
    const told = await page.evaluate(async () => {
      attune.track("Product Viewed", { category: "shoes" });
      attune.track("Product Viewed", { category: "shoes" });
      await attune.flush();
      const [why] = (await attune.explain())!.filter(({ key }) => key === "interested");
      return [attune === made[0], attune.version, why?.value, Object.keys(attune.segments()), attune.anonymousId()];
    });
    expect(told.slice(0, 4)).toEqual([true, "1.2.3", true, ["interested"]]);
    expect(await names(visitor, told[4] as string)).toEqual(["Early", "Product Viewed", "Product Viewed", "page"]);
  });

  it("is one in a page, however often it is made: by a second copy of the module, beside the tag", async () => {
    const visitor = await stage.visitor();
    const tag = await bundle(visitor, `${create(own())}made.push(createAttune(${JSON.stringify(own())}));`);
    const page = await visitor.open(tag, NO_TAG);
    await isReady(page);
    await page.addScriptTag({ url: "/app/main.js?again", type: "module" });
    expect(await page.evaluate(() => [made.length, made.every((it) => it === attune)])).toEqual([4, true]);

    const other = await visitor.open(tag);
    await isReady(other);
    await until(() => other.evaluate(() => globalThis.made?.length === 2), "the module");
    expect(await other.evaluate(() => made.every((it) => it === attune))).toBe(true);
    await other.evaluate(() => attune.flush());
    const id = (await other.evaluate(() => attune.anonymousId()))!;
    await until(async () => (await names(visitor, id)).length === 2, "a page view each");
  });

  it.each([
    ["another site's key", { key: "pk_other", host: "https://edge.example.com" }, /the page has another site's, pk_/],
    ["no key", { host: "https://edge.example.com" }, /key is missing/],
    ["no options", null, /Cannot/],
  ])("with %s says so in the console, and what it gives does nothing", async (_, options, said) => {
    const visitor = await stage.visitor();
    const tag = await bundle(visitor, create(own()) + create(options as object).replace(/.*?;/, ""));
    const page = await visitor.context.newPage();
    const noticed = watch(page);
    await visitor.open(tag, NO_TAG, page);
    await isReady(page);
    const [same, version] = await page.evaluate(async () => {
      const [first, second] = made;
      second!.track("Lost");
      await second!.flush();
      return [attune === first, second!.version];
    });
    expect([same, version]).toEqual([true, ""]);
    expect(noticed).toEqual([expect.stringMatching(said)]);
    expect(await page.evaluate(() => heard.some(({ detail }) => detail.event === "Lost"))).toBe(false);
  });

  it("with a host that is no address leaves the page without one, and the next may come", async () => {
    const visitor = await stage.visitor();
    const tag = await bundle(visitor, create({ ...own(), host: "edge" }) + create(own()).replace(/.*?;/, ""));
    const page = await visitor.open(tag, NO_TAG);
    await isReady(page);
    expect(await page.evaluate(() => [made[0]!.version, attune === made[1]])).toEqual(["", true]);
  });
});

describe("as a tag", () => {
  it("says its version, and a second site's tag in the same page is ignored", async () => {
    const visitor = await stage.visitor();
    const page = await visitor.open();
    await isReady(page);
    const { version } = JSON.parse(await readFile(`${ROOT}package.json`, "utf8"));
    const same = await page.evaluate(async () => {
      const first = attune;
      const tag = document.createElement("script");
      tag.src = document.querySelector<HTMLScriptElement>("script[src]")!.src;
      tag.dataset["key"] = "pk_other";
      const loaded = new Promise((resolve) => tag.addEventListener("load", resolve));
      document.head.append(tag);
      await loaded;
      return attune === first;
    });
    expect([same, await page.evaluate(() => attune.version)]).toEqual([true, version]);
  });

  it("is not misled by elements that share its name", async () => {
    const visitor = await stage.visitor();
    await visitor.context.addInitScript(() => {
      // As where the page has no stub: `window.attune` is the element.
      Object.defineProperty(window, "heard", { value: [], writable: true });
    });
    const page = await visitor.context.newPage();
    const noticed = watch(page);
    await page.route(`${stage.shopUrl}/`, (route) => route.continue());
    await visitor.open("", NO_TAG, page);
    await page.setContent(`<div id="attune">Ours</div>`);
    await page.evaluate(
      ([src, key]) => {
        const tag = Object.assign(document.createElement("script"), { src });
        tag.dataset["key"] = key!;
        document.head.append(tag);
      },
      [`${inject("workerUrl")}/attune.js`, stage.writeKey],
    );
    await until(() => page.evaluate(() => !!(attune as Partial<typeof attune>).anonymousId?.()), "attune");
    expect(noticed).toEqual([]);
  });
});

/** What a page may do to what it and we stand on; `before` the script comes, or only `after`. */
const BROKEN: [what: string, when: "before" | "after", spoil: () => void][] = (
  [
    [
      "fetch throws",
      () => {
        window.fetch = () => {
          throw new Error("broken");
        };
      },
    ],
    [
      "fetch answers nonsense",
      () => {
        window.fetch = () => undefined as unknown as Promise<Response>;
      },
    ],
    [
      "fetch never answers",
      () => {
        window.fetch = () => new Promise(() => {});
      },
    ],
    [
      "Promise is the page's own",
      () => {
        window.Promise = class extends Promise<unknown> {} as PromiseConstructor;
      },
    ],
    [
      "Promise is none",
      () => {
        window.Promise = undefined as unknown as PromiseConstructor;
      },
    ],
    [
      "arrays and objects have more keys",
      () => {
        Object.assign(Array.prototype, { first: () => 1 });
        Object.assign(Object.prototype, { toText: () => "" });
      },
    ],
    [
      "arrays have a toJSON",
      () => {
        Object.assign(Array.prototype, {
          toJSON(this: unknown[]) {
            return `[${this.join()}]`;
          },
        });
      },
    ],
    [
      "JSON is the page's own",
      () => {
        const { parse, stringify } = JSON;
        window.JSON = { parse: (text: string) => parse(text), stringify: (value: unknown) => stringify(value) } as JSON;
      },
    ],
    [
      "listeners are the page's own",
      () => {
        const add = window.addEventListener;
        window.addEventListener = function (this: Window, ...[type, listener, options]: unknown[]) {
          const heard = (event: Event) => (listener as (event: Event) => void).call(this, event);
          add.call(this, type as string, heard, options as AddEventListenerOptions);
        };
      },
    ],
  ] as [string, () => void][]
).flatMap(([what, spoil]): [string, "before" | "after", () => void][] => [
  [what, "before", spoil],
  [what, "after", spoil],
]);
const breakJson = () => {
  JSON.stringify = JSON.parse = () => {
    throw new Error("broken");
  };
};
BROKEN.push(
  ["JSON throws", "before", breakJson],
  ["JSON throws", "after", breakJson],
  [
    "listeners are refused",
    "after",
    () => {
      window.addEventListener = document.addEventListener = () => {
        throw new Error("broken");
      };
    },
  ],
);

/** A use of all that a page uses, none of which may throw. */
const USE = () => {
  const thrown: string[] = [];
  const calls: (() => unknown)[] = [
    () => attune.track("Product Viewed", { category: "shoes", list: [1] }),
    () => attune.page(),
    () => attune.identify("ada", { plan: "pro" }),
    () => attune.group("acme"),
    () => attune.alias("ada-2"),
    () => attune.consent({ analytics: true }),
    () => attune.on("event", () => {})(),
    () => [attune.segments(), attune.decisions(), attune.anonymousId(), attune.userId()],
    () => history.pushState({}, "", "/next"),
    () =>
      document.body.append(
        Object.assign(document.createElement("p"), { innerHTML: '<i data-attune-slot="hero">x</i>' }),
      ),
    () => document.body.click(),
    () => dispatchEvent(new Event("visibilitychange")),
    () => attune.reset(),
  ];
  for (const call of calls) {
    try {
      call();
    } catch (error) {
      thrown[thrown.length] = `${call}: ${error}`;
    }
  }
  return thrown.join("\n");
};

it.each(BROKEN)(
  "throws nothing into a page where %s, %s it comes, and leaves its content there",
  async (_, when, spoil) => {
    const visitor = await stage.visitor();
    const page = await visitor.context.newPage();
    const thrown: string[] = [];
    // Rejections that nobody handles are errors of the page, too.
    page.on("pageerror", (error) => thrown.push(String(error.stack)));
    if (when === "before") await visitor.context.addInitScript(spoil);
    await visitor.open('<attune-block name="hero"><p class=plain>Plain</p></attune-block>', "", page);
    await until(() => page.evaluate(() => "version" in attune), "the script");
    if (when === "after") {
      await isReady(page);
      await page.evaluate(spoil);
    }
    expect(await page.evaluate(USE)).toBe("");
    await until(
      () => page.evaluate(() => getComputedStyle(document.querySelector("attune-block p")!).visibility === "visible"),
      "the content",
    );
    expect(thrown).toEqual([]);
  },
);

it("goes on delivering where the page has broken fetch and JSON since", async () => {
  const visitor = await stage.visitor();
  const page = await visitor.open();
  await isReady(page);
  const id = await page.evaluate(async () => {
    const { stringify } = JSON;
    JSON.stringify =
      JSON.parse =
      window.fetch =
        () => {
          throw new Error("broken");
        };
    attune.track("Still", { n: 1 });
    await attune.flush();
    // The one who asks needs it.
    JSON.stringify = stringify;
    return attune.anonymousId();
  });
  expect(await names(visitor, id!)).toEqual(["Still", "page"]);
});
