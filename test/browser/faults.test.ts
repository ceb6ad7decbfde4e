/** What a page, a device or a person can do to the script: nothing durable is lost, and the page goes on. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { CHROMIUM_FLAGS } from "./chromium.ts";
import { idOf, ready } from "./device.ts";
import { openStage, type Stage, until } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const flush = (page: Page) => page.evaluate(() => attune.flush());

describe("a browser that is killed while it captures", () => {
  const KILLS = 20;

  /** A browser of its own, with its profile in that folder. */
  async function openBrowser(
    profile: string,
  ): Promise<{ context: BrowserContext; kill(): Promise<void>; quit(): Promise<void> }> {
    const flags = [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"];
    // A group of its own: its processes die at once, none tidies up after the others.
    const browser = spawn(inject("chromium"), flags, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    const ended = new Promise<void>((resolve) => browser.once("exit", () => resolve()));
    const kill = () => {
      process.kill(-browser.pid!, "SIGKILL");
      return ended;
    };
    let said = "";
    browser.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const address = await until(() => /ws:\/\/\S+/.exec(said)?.[0], "the browser", 60_000).catch(async (error) => {
      await kill();
      throw error;
    });
    const connection = await chromium.connectOverCDP(address);
    const quit = async () => {
      await (await connection.newBrowserCDPSession()).send("Browser.close");
      await ended;
    };
    return { context: connection.contexts()[0]!, kill, quit };
  }

  /** Says of each message of the outbox when it is durable; waits for a slow disk. */
  const watchOutbox = () => {
    const { setTimeout } = window;
    Object.assign(window, {
      setTimeout: (work: () => void, ms: number, ...args: unknown[]) =>
        setTimeout(work, args[0] === "timeout" ? 60_000 : ms, ...args),
    });
    for (const method of ["add", "put"] as const) {
      const own = IDBObjectStore.prototype[method];
      IDBObjectStore.prototype[method] = function (this: IDBObjectStore, ...args: [unknown, IDBValidKey?]) {
        const { messageId } = Object(args[0]) as { messageId?: string };
        if (messageId) {
          this.transaction.addEventListener("complete", () => console.debug(`durable ${messageId}`));
        }
        return own.apply(this, args);
      };
    }
  };

  it(`has lost nothing that was durable, and sends it once, ${KILLS} times over`, async () => {
    const profile = await mkdtemp(join(tmpdir(), "attune-killed-"));
    const visitor = await stage.visitor();
    const durable = new Set<string>();
    const ids = new Set<string>();
    try {
      // Known since before: what the browser's storage is told, it writes to the disk a little later.
      const { context, quit } = await openBrowser(profile);
      const page = await visitor.open("", "", await context.newPage());
      await ready(page);
      await flush(page);
      await quit();
      for (let turn = 0; turn <= KILLS; turn++) {
        const { context, kill } = await openBrowser(profile);
        try {
          const page = await context.newPage();
          page.on("console", (message) => {
            const [, messageId] = /^durable (.+)/.exec(message.text()) ?? [];
            if (messageId) durable.add(messageId);
          });
          await page.addInitScript(watchOutbox);
          await visitor.open("", "", page);
          await ready(page);
          ids.add(await idOf(page));
          if (turn === KILLS) {
            await flush(page);
            continue;
          }
          const before = durable.size;
          await page.evaluate(() => {
            let left = 8;
            const track = () => {
              attune.track("Before The End", { left });
              if (--left) setTimeout(track);
            };
            track();
          });
          // In the middle of it, each time elsewhere.
          await until(() => durable.size > before + (turn % 5), "something durable");
        } finally {
          await kill();
        }
      }
      expect(ids.size).toBe(1);
      expect(durable.size).toBeGreaterThan(KILLS);
      const messageIds = await until(async () => {
        const stored = (await visitor.stored([...ids][0]!)).map(({ messageId }) => messageId);
        return [...durable].every((messageId) => stored.includes(messageId)) && stored;
      }, "all that was durable");
      expect(new Set(messageIds).size).toBe(messageIds.length);
    } finally {
      // Some of its processes may still be on their way out.
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    }
  }, 600_000);
});

describe("a person", () => {
  it("who logs in where another is logged in leaves them what was theirs, in all tabs", async () => {
    const visitor = await stage.visitor();
    const one = await visitor.open();
    await ready(one);
    const two = await visitor.open();
    await ready(two);
    await one.evaluate(() => {
      attune.identify("faults-ann");
      attune.track("Of Ann");
    });
    const ann = await idOf(one);
    await until(() => two.evaluate(() => attune.userId() === "faults-ann"), "the other tab");
    await two.evaluate(() => {
      attune.identify("faults-bob");
      attune.track("Of Bob");
    });
    const bob = await idOf(two);
    expect(bob).not.toBe(ann);
    await until(() => one.evaluate(() => attune.userId() === "faults-bob"), "the first tab");
    await one.evaluate(() => attune.track("Of Bob"));
    await Promise.all([flush(one), flush(two)]);

    const namesOf = async (id: string) => (await visitor.stored(id)).map(({ event }) => event).filter(Boolean);
    await until(async () => (await namesOf(bob)).length === 2, "the last of them");
    expect(await namesOf(ann)).toEqual(["Of Ann"]);
    expect(await namesOf(bob)).toEqual(["Of Bob", "Of Bob"]);
    const pairs = visitor.sent.flatMap(({ messages }) => messages).filter(({ userId }) => userId);
    expect(new Set(pairs.map(({ anonymousId, userId }) => `${anonymousId} ${userId}`)).size).toBe(2);
  });
});

describe("a clock", () => {
  it("that is set back a day while the page is open holds nothing up", async () => {
    const visitor = await stage.visitor();
    await visitor.context.addInitScript(() => {
      const now = Date.now;
      const page = window as unknown as { behind: number };
      page.behind = 0;
      Date.now = () => now() - page.behind;
      window.Date = class extends Date {
        constructor(...args: [number]) {
          super(...((args.length ? args : [Date.now()]) as [number]));
        }
      } as DateConstructor;
    });
    const page = await visitor.open();
    await ready(page);
    await flush(page);
    let fails = true;
    await visitor.context.route(/\/a\/batch$/, (route) =>
      fails
        ? route.fulfill({ status: 500, json: {}, headers: { "access-control-allow-origin": "*" } })
        : route.continue(),
    );
    await page.evaluate(() => {
      attune.track("Before");
      return attune.flush();
    });
    fails = false;
    await page.evaluate(() => {
      (window as unknown as { behind: number }).behind = 86_400_000;
      attune.track("After");
    });
    const id = await idOf(page);
    await until(async () => (await visitor.stored(id)).filter(({ event }) => event).length === 2, "both events in D1");
  });
});

describe("a page", () => {
  const SLOT = "<attune-block name=hero><p>Ours</p></attune-block>";
  const isShown = (page: Page) =>
    page.evaluate(() => getComputedStyle(document.querySelector("p")!).visibility === "visible");

  it("whose visitor blocks the script works as without it", async () => {
    const visitor = await stage.visitor();
    await visitor.context.route(/attune\.js$/, (route) => route.abort("blockedbyclient"));
    const page = await visitor.open(SLOT);
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    await page.evaluate(() => {
      attune.track("Unheard");
      attune.consent("full");
    });
    expect(await isShown(page)).toBe(true);
    expect(errors).toEqual([]);
    expect(visitor.sent).toEqual([]);
  });

  /** What some pages do before the script comes. `true`: it can go on. */
  const PAGES: [name: string, works: boolean, change: () => void][] = [
    [
      "wraps fetch",
      true,
      () => {
        const own = window.fetch;
        window.fetch = (...args) => own(...args).then((response) => response);
      },
    ],
    [
      "gives arrays a toJSON, as old libraries do",
      true,
      () => {
        (Array.prototype as { toJSON?: unknown }).toJSON = function (this: unknown[]) {
          return `[${this.map(String)}]`;
        };
      },
    ],
    [
      "has a Promise of its own",
      true,
      () => {
        window.Promise = class<T> extends Promise<T> {};
      },
    ],
    [
      "has a fetch that throws",
      false,
      () => {
        window.fetch = () => {
          throw new Error("not this one");
        };
      },
    ],
  ];
  it.each(PAGES)("that %s sees no error and keeps its content", async (_, works, change) => {
    const visitor = await stage.visitor();
    await visitor.context.addInitScript(change);
    const errors: Error[] = [];
    visitor.context.on("weberror", (error) => errors.push(error.error()));
    const page = await visitor.open(SLOT);
    await until(() => page.evaluate(() => "version" in attune), "the script");
    await page.evaluate(() => attune.track("Tracked", { list: [1, 2] }));
    if (works) {
      await until(() => page.evaluate(() => document.querySelector("p.all")), "the slot");
      await flush(page);
      const id = await idOf(page);
      const tracked = await until(async () => {
        const found = (await visitor.stored(id)).filter(({ event }) => event === "Tracked");
        return found.length > 0 && found;
      }, "the event");
      expect(tracked.map(({ properties }) => properties)).toEqual([{ list: [1, 2] }]);
    }
    await until(() => isShown(page), "the content");
    expect(errors).toEqual([]);
  });
});
