/** HTML from the edge in a page without any policy: nothing in it runs, and it leads the page nowhere. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

/** `run` is replaced by a call that tells which one ran. */
const PAYLOADS = {
  script: "<script>run</script>",
  "script in SVG": "<svg><script>run</script></svg>",
  "error handler": '<img src="x:" onerror="run">',
  "handler in capitals": '<img src="x:" ONERROR="run">',
  "load handler of SVG": '<svg onload="run"></svg>',
  "toggle handler": '<details open ontoggle="run">x</details>',
  "animation handler":
    '<style>@keyframes go{to{left:0}}</style><p style="animation:go 1ms" onanimationstart="run">x</p>',
  "handler of a form that hides its attributes":
    '<form style="animation:go 1ms" onanimationstart="run"><select name="attributes"></select>x</form>',
  "handler of an animation": '<svg><animate onbegin="run" attributeName="x" dur="1s"/></svg>',
  "focus handler": '<input autofocus onfocus="run">',
  link: '<a href="javascript:run">x</a>',
  "link with blanks": '<a href=" java\n\tscript:run">x</a>',
  "link with a control character": '<a href="&#1;javascript:run">x</a>',
  "link with entities": '<a href="&#x6A;avascript&colon;run">x</a>',
  "link in SVG": '<svg><a xlink:href="javascript:run"><text y="9">x</text></a></svg>',
  "link set by an animation":
    '<svg><a><set attributeName="href" to="javascript:run"/><animate attributeName="xlink:href" values="javascript:run"/><text y="9">x</text></a></svg>',
  "link in MathML": '<math href="javascript:run"><mi>x</mi></math>',
  map: '<map><area href="javascript:run"></map>',
  form: '<form target="sink" action="javascript:parent.run"><button>x</button></form>',
  "button of a form": '<form target="sink"><button formaction="javascript:parent.run">x</button></form>',
  frame: '<iframe src="javascript:parent.run"></iframe>',
  "frame with a document": '<iframe srcdoc="<script>parent.run</script>"></iframe>',
  object: '<object data="javascript:parent.run"></object>',
  "object with a document": '<object data="DOCUMENT"></object>',
  "embedded document": '<embed src="DOCUMENT">',
  template:
    '<template><img src="x:" onerror="run"></template><template shadowrootmode="open"><img src="x:" onerror="run"></template>',
  "text that is parsed twice": '<noscript><p title="</noscript><img src=x: onerror=run>"></noscript>',
  "comment in a foreign style":
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x: onerror=run&gt;">',
  style: '<p style="background:url(javascript:run)">x</p>',
  refresh: '<meta http-equiv="refresh" content="0;url=/elsewhere">',
  base: '<base href="https://elsewhere.example/">',
};

it("runs none of the ways in which HTML runs code", async () => {
  const html = Object.entries(PAYLOADS)
    .map(([name, payload]) => payload.replaceAll("run", `ran('${name}')`).replaceAll("DOCUMENT", "/document"))
    .join("\n");
  const visitor = await stage.visitor();
  // Of a form, nothing but where it would be sent is left: to the page itself.
  await visitor.context.route(/\/\?$/, (route) => route.abort());
  await visitor.context.route(/\/document$/, (route) =>
    route.fulfill({ contentType: "text/html", body: "<script>parent.ran('a document')</script>" }),
  );
  await visitor.context.route(/\/a\/decide$/, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    answer.slots.hero.html = `<p class=all>All of it</p>${html}`;
    await route.fulfill({ response, json: answer });
  });
  const page = await visitor.context.newPage();
  await page.addInitScript(() => {
    const list: string[] = [];
    Object.assign(window, { list, ran: (name: string) => list.push(name) });
  });
  await visitor.open('<iframe name="sink"></iframe><attune-block name="hero"></attune-block>', "", page);
  await page.locator("p.all").waitFor();
  const present = await page.evaluate(async () => {
    const slot = document.querySelector("attune-block")!;
    const elements = [...slot.querySelectorAll("*")];
    for (const element of elements) {
      if (element.matches("button, a, area, math, input"))
        element.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    }
    // Images have failed, frames have loaded, animations have begun.
    await Promise.all([...slot.querySelectorAll("img")].map((image) => image.decode().catch(() => image)));
    for (let frames = 0; frames < 5; frames++) await new Promise(requestAnimationFrame);
    return elements.length;
  });
  expect(present).toBeGreaterThan(20);
  expect(await page.evaluate(() => (window as unknown as { list: string[] }).list)).toEqual([]);
  expect(await page.evaluate(() => [document.baseURI, location.pathname])).toEqual([`${stage.shopUrl}/`, "/"]);
});
