/** What is said of a block that may be saved, and what keeps one from being published. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Client, ingest, type Json, newSite, problemOf } from "./client.ts";

const DAY_MS = 86_400_000;
const wall = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 16);
const block = (template: string, more: object = {}) => ({
  ...{ key: "hero", slot: "hero", variants: [{ key: "all", template }] },
  ...more,
});

const seen = (findings: Json[]) => findings.map(({ code, severity, pointer }) => `${severity} ${code} ${pointer}`);

/** The findings of a block as it is saved. */
async function lint(site: Client, body: object): Promise<Json[]> {
  const { warnings } = await site.post("/api/blocks", body);
  await site.send("DELETE", "/api/blocks/hero");
  return warnings;
}

async function publish(site: Client, body: Json): Promise<Json> {
  await site.post("/api/blocks", body);
  return site.post(`/api/blocks/${body.key}/publish`);
}

const PRO = { trait: "plan", eq: "pro" };
const only = (audience: object | null) => ({ variants: [{ key: "all", audience, template: "x" }] });

it("a block that can show nothing, and a whole document in a slot, are told of", async () => {
  const site = await newSite();
  const nothing = await lint(site, { key: "hero", slot: "hero", variants: [] });
  expect(seen(nothing)).toEqual(["warning no-effect /variants"]);
  const document = await lint(site, block("<!doctype html><html><body><p>Hi</p></body></html>"));
  expect(seen(document)).toEqual(["hint foreign-html /variants/0/template"]);
  const mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>";
  expect(seen(await lint(site, block(mjml, { format: "mjml" })))).toContain("hint foreign-html /variants/0/template");
});

describe("a template", () => {
  it.each([
    ["{{ a | upcas }}", "upcase"],
    ["{{ a | money_ }}", "money"],
    ["{% asign a = 1 %}", "assign"],
    ["{% if a %}{% elseif b %}{% endif %}", "elsif"],
    ["{% if a %}{% end_if %}{% endif %}", "endif"],
    ["{{ a | defualt: 'b' }}", "default"],
    ["{% fi a %}{% endif %}", "if"],
    ["{% if a %}{% endfi %}", "endif"],
  ])("with an unknown word, %s, is refused with the one that may be meant", async (template, meant) => {
    const site = await newSite();
    const problem = await problemOf(site.send("POST", "/api/blocks", block(template)), "invalid-template");
    expect(problem.errors).toMatchObject([
      {
        pointer: "/variants/0/template",
        detail: expect.stringMatching(new RegExp(`line 1.*\\. Is ${meant} meant\\?$`)),
      },
    ]);
  });

  it("is told of names that are always empty, with line, column and the one that may be meant", async () => {
    const site = await newSite();
    const template = `{% assign own = 1 %}{{ own }}{% for item in cart.items %}{{ item.name }}{{ forloop.index }}{% endfor %}
{{ custmer.name | default: "a" }} {{ site.nam }} {{ site.name }}
{% if basket %}{{ cart.sum }}{{ basket }}{% endif %}`;
    const findings = await lint(site, block(template));
    expect(findings.map(({ code, detail }) => [code, detail])).toEqual([
      ["unknown-variable", expect.stringMatching(/^custmer\.name \(line 2, column 4\).*Is customer meant\?/)],
      ["unknown-variable", expect.stringMatching(/^basket \(line 3, column 7\).*customer\.basket/)],
      ["unknown-variable", expect.stringMatching(/^site\.nam \(line 2, column 38\).*Is site\.name meant\?/)],
      ["unknown-variable", expect.stringMatching(/^cart\.sum \(line 3, column 19\).*items, count, total, currency/)],
    ]);
  });

  it("is told of traits that nobody has sent, where somebody has sent any", async () => {
    const site = await newSite();
    const body = block("Hi {{ customer.frist_name | default: 'you' }}{{ customer.plan | default: '' }}", {
      fallback: "{{ customer.frist_name | default: 'you' }}",
    });
    expect(await lint(site, body)).toEqual([]);
    const traits = { first_name: "Ada", plan: "pro" };
    await ingest(site, [{ type: "identify", userId: "ada", messageId: "1", traits }]);
    const findings = await lint(site, body);
    expect(seen(findings)).toEqual(["warning unknown-trait /variants/0/template", "warning unknown-trait /fallback"]);
    expect(findings[0].detail).toMatch(/^Line 1, column 7:.*"first_name" meant\?/);
  });

  it("is told of segments in which nobody is", async () => {
    const site = await newSite();
    const segment = { name: "A", condition: PRO };
    await site.post("/api/segments", { ...segment, key: "vip", status: "active" });
    await site.post("/api/segments", { ...segment, key: "later" });
    const template =
      "{% if segment.vip %}a{% elsif segment.vipp %}b{% elsif segment.later %}c{% endif %}{{ segment['x y'] }}";
    const findings = await lint(site, block(template));
    expect(seen(findings)).toEqual([
      "warning unknown-segment /variants/0/template",
      "warning inactive-segment /variants/0/template",
      "warning unknown-segment /variants/0/template",
    ]);
    expect(findings[0].detail).toMatch(/vipp \(line 1, column 31\).*Is vip meant\?/);
  });

  it("is told that nothing is recommended yet", async () => {
    const findings = await lint(await newSite(), block("{{ product_recommendations[0].name | default: 'a' }}"));
    expect(seen(findings)).toEqual(["warning always-empty /variants/0/template"]);
  });

  it("is told of what a browser is not given, and of what acts on its own there", async () => {
    const site = await newSite({ origins: ["https://shop.example"] });
    const findings = await lint(
      site,
      block(`<p onclick="go()">a</p>
<script>alert("<p onclick='x'>")</script>{% comment %}<script></script>{% endcomment %}
  <div data-x=" java script:go()" title="{{ site.name }}"></div>
<iframe src="https://elsewhere.example/"></iframe><meta charset="utf-8">
<form action="https://elsewhere.example/list"></form><form action="https://shop.example/"></form><form action="/a"></form>`),
    );
    expect(findings.map(({ code, detail }) => [code, /\((line \d+, column \d+)\)/.exec(detail)?.[1]])).toEqual([
      ["dropped-html", "line 1, column 12"],
      ["dropped-html", "line 2, column 1"],
      ["dropped-html", "line 3, column 15"],
      ["foreign-html", "line 4, column 1"],
      ["dropped-html", "line 4, column 51"],
      ["foreign-html", "line 5, column 1"],
    ]);
    expect(findings.at(-1).detail).toContain("https://elsewhere.example");
  });

  it("is told of what would stop it when it is published, and of loops that stop whoever is led there, when it is saved", async () => {
    const site = await newSite();
    const endless = "{% for i in (1..1000) %}\n{% for j in (1..1000) %}{{ i }}{% endfor %}{% endfor %}";
    const body = {
      ...{ key: "hero", slot: "hero", fallback: "{% for i in (1..100000000) %}{{ i }}{% endfor %}" },
      variants: [
        { key: "vip", audience: PRO, template: `{% if customer.plan == "gold" %}${endless}{% endif %}` },
        { key: "all", template: `<p>\n  {% for i in (1..15000) %}x{% endfor %}</p>`, link: "{{ site.name }}" },
        { key: "left", template: "{% for i in (1..100000) %}{% if i == 2 %}{% break %}{% endif %}{% endfor %}" },
      ],
    };
    const findings = (await lint(site, body)).filter(({ code }) => ["stops", "unsafe-url"].includes(code));
    expect(findings).toEqual([
      {
        code: "stops",
        severity: "warning",
        pointer: "/variants/0/template",
        detail: expect.stringMatching(/\(line 2, column 1\) would turn 1,000,000 times/),
      },
      {
        code: "stops",
        severity: "error",
        pointer: "/variants/1/template",
        detail: expect.stringMatching(/steps \(line 2, column 3\)\. So it is not published/),
      },
      {
        code: "unsafe-url",
        severity: "error",
        pointer: "/variants/1/link",
        detail: expect.stringContaining("no https address"),
      },
      {
        code: "stops",
        severity: "error",
        pointer: "/fallback",
        detail: expect.stringMatching(/too much of its values \(line 1, column 1\)/),
      },
    ]);
    await site.post("/api/blocks", body);
    const { errors } = await problemOf(site.send("POST", "/api/blocks/hero/publish"), "invalid-template");
    expect(errors!.map(({ pointer }) => pointer)).toEqual(["/variants/1/template", "/variants/1/link", "/fallback"]);
  });

  it("is told of elements that are not closed and tags that close nothing", async () => {
    const site = await newSite();
    const findings = await lint(site, block("<div>\n<b>{{ site.name }}</div>", { fallback: "<p>Hi</p></div>" }));
    expect(findings).toMatchObject([
      {
        code: "unbalanced-html",
        severity: "warning",
        pointer: "/variants/0/template",
        detail: expect.stringContaining("<b> (line 2, column 1)"),
      },
      {
        code: "unbalanced-html",
        severity: "warning",
        pointer: "/fallback",
        detail: expect.stringContaining("</div> (line 1, column 10)"),
      },
    ]);
    const mjml =
      "<mj-section><mj-column><mj-image src='https://a.example/a.png' alt='a' /><mj-text><b>Hi</mj-text></mj-column></mj-section>";
    expect(seen(await lint(site, block(mjml, { format: "mjml" })))).toEqual([
      "warning unbalanced-html /variants/0/template",
    ]);
  });

  it("is told of the turns that a loop has, whose bounds are no whole numbers", async () => {
    const loop = "{% if cart.count == 7 %}{% for i in (1.9..30000.1) %}x{% endfor %}{% endif %}";
    const findings = await lint(await newSite(), block(loop));
    expect(findings.map(({ detail }) => detail)).toEqual([expect.stringContaining("would turn 30,000 times")]);
  });

  it("is told that lines are not its own, where they are those of the HTML that MJML becomes", async () => {
    const site = await newSite();
    const loop = "{% for i in (1..30000) %}{{ i }}{% endfor %}";
    const mjml = (text: string) => `<mj-section><mj-column><mj-text>${text}</mj-text></mj-column></mj-section>`;
    const of = (text: string) => block(mjml(text), { format: "mjml" });
    const details = async (text: string) => (await lint(site, of(text))).map(({ detail }) => detail);
    const says = expect.stringMatching(/^In the HTML that it becomes: .*\(line \d+, column \d+\)/);
    expect(await details(`{% if segment.pro == "x" %}${loop}{% endif %}`)).toContainEqual(says);
    expect(await details(loop)).toContainEqual(says);
    await site.post("/api/blocks", of(loop));
    const { errors } = await problemOf(site.send("POST", "/api/blocks/hero/publish"), "invalid-template");
    expect(errors![0]!.detail).toEqual(says);
  });

  it("is told of images that say nothing", async () => {
    const site = await newSite();
    const img = `<img src="a.png"><img alt="" src="a"><img alt=" "><img alt="{{ site.name }}"><img alt=x>`;
    expect(seen(await lint(site, block(img)))).toEqual([
      "warning no-alt /variants/0/template",
      "hint no-alt /variants/0/template",
      "hint no-alt /variants/0/template",
    ]);
    const image = { width: 600, height: 200, alt: " ", parts: [{ type: "text", text: "{{ custmer.x }}" }] };
    const variants = [{ key: "all", template: "x", image }];
    expect(seen(await lint(site, block("", { variants })))).toEqual([
      "warning no-alt /variants/0/image/alt",
      "hint no-link /variants/0/image",
      "warning unknown-variable /variants/0/image/parts/0/text",
    ]);
  });

  it("is told of what a card leaves out for everybody, and of no default where none can stand", async () => {
    const site = await newSite();
    const parts = [
      { type: "countdown", to: "tomorrow" },
      { type: "countdown", to: "2026-12-01T00:00" },
      { type: "countdown", to: "{{ customer.ends | default: 'tomorrow' }}" },
      { type: "price", amount: "12,99", was: "19.90", currency: "EUR" },
      { type: "products", items: "customer.favourites", currency: "EUR" },
    ];
    const image = { width: 600, height: 600, alt: "a", parts };
    const findings = await lint(
      site,
      block("", { variants: [{ key: "all", template: "x", link: "https://a.example/", image }] }),
    );
    expect(seen(findings)).toEqual([
      "warning no-effect /variants/0/image/parts/0/to",
      "warning no-effect /variants/0/image/parts/3/amount",
    ]);
  });

  it("is told of texts that a card cuts for somebody like most, and of characters that it cannot draw", async () => {
    const site = await newSite();
    const parts = [
      { type: "text", text: "Hi {{ customer.name | default: 'you' }} 🔥" },
      { type: "text", text: "{% for i in (1..30) %}{{ customer.name | default: 'you' }}, {% endfor %}", size: 40 },
      { type: "price", amount: "12.99", currency: "EUR", align: "right" },
      { type: "countdown", to: "2030-12-01T00:00", align: "center" },
      { type: "products", items: "cart.items", currency: "EUR" },
    ];
    const image = { width: 600, height: 200, alt: "a", parts };
    const variants = [{ key: "all", template: "x", link: "https://a.example/", image }];
    const findings = await lint(site, block("", { variants }));
    expect(findings).toEqual([
      {
        code: "cut-text",
        severity: "warning",
        pointer: "/variants/0/image/parts/1/text",
        detail: expect.stringMatching(/about \d+ characters fit/),
      },
      {
        code: "cut-text",
        severity: "warning",
        pointer: "/variants/0/image/parts/3/to",
        detail: expect.stringMatching(/not room enough/),
      },
      {
        code: "cut-text",
        severity: "warning",
        pointer: "/variants/0/image/parts/4/items",
        detail: expect.stringMatching(/not room enough/),
      },
      {
        code: "undrawn-text",
        severity: "warning",
        pointer: "/variants/0/image/parts/0/text",
        detail: expect.stringContaining("no 🔥:"),
      },
    ]);
    expect(
      seen(
        await lint(
          site,
          block("", { variants: [{ ...variants[0], image: { ...image, height: 900, parts: parts.slice(2) } }] }),
        ),
      ),
    ).toEqual([]);
  });

  it("is told when its HTML is large, made or written", async () => {
    const site = await newSite();
    const findings = await lint(site, {
      ...{ key: "hero", slot: "hero" },
      variants: [
        { key: "small", audience: PRO, template: "x".repeat(29_000) },
        { key: "written", audience: PRO, template: `{% if customer.x %}${"x".repeat(31_000)}{% endif %}` },
        { key: "made", template: "{% for i in (1..300) %}<p>".padEnd(400, "x").concat("{% endfor %}") },
      ],
    });
    expect(findings.filter(({ code }) => code === "large").map(({ pointer, detail }) => [pointer, detail])).toEqual([
      ["/variants/1/template", expect.stringContaining("31 kB")],
      ["/variants/2/template", expect.stringMatching(/\d{3} kB: Gmail/)],
    ]);
  });
});

it("a template is not told of everything, where there is no end of it", async () => {
  const site = await newSite();
  const names = Array.from({ length: 500 }, (_, index) => `{{ customer.a${index} }}{{ b${index} }}<img on${index}=x>`);
  const counts = Map.groupBy(await lint(site, block(names.join(""))), ({ code }) => code);
  for (const [code, found] of counts) expect([code, found.length <= 40]).toEqual([code, true]);
  expect([...counts.keys()]).toEqual(["unknown-variable", "no-default", "dropped-html", "no-alt"]);
});

describe("among the blocks of a slot", () => {
  it("one that hides another, or is hidden, is told of", async () => {
    const site = await newSite();
    await publish(site, block("usual"));
    const { warnings } = await publish(site, { ...block("x"), key: "top", priority: 1 });
    expect(seen(warnings)).toEqual(["warning hidden-block /priority"]);
    expect(warnings[0].detail).toContain('"hero"');
    const under = await publish(site, { ...block("x"), key: "under", priority: -1, ...only(PRO) });
    expect(under.warnings.map(({ detail }: Json) => /"(\w+)" comes first/.exec(detail)?.[1])).toEqual(["hero", "top"]);
    expect(seen((await publish(site, { ...block("x"), key: "other", slot: "other" })).warnings)).toEqual([]);
  });

  it("one for some, one with a cap, and one at another time hide nobody", async () => {
    const site = await newSite();
    await publish(site, block("usual"));
    const blocks = [
      { key: "a", ...only(PRO) },
      { key: "b", cap: { times: 2, within: "1d" } },
      { key: "c", variants: [], fallback: "x" },
    ];
    for (const more of blocks) {
      const { warnings } = await publish(site, { ...block("x"), priority: 9, ...more });
      expect(seen(warnings), more.key).toEqual([]);
      await site.send("DELETE", `/api/blocks/${more.key}`);
    }
    await site.put("/api/blocks/hero", block("usual", { schedule: { to: wall(5) } }));
    await site.post("/api/blocks/hero/publish");
    const later = { ...block("x"), key: "later", priority: 9, schedule: { from: wall(5) } };
    expect(seen((await publish(site, later)).warnings)).toEqual([]);
  });

  it("one that hides another for a while is a hint, and so is the order of equal ones", async () => {
    const site = await newSite();
    await publish(site, block("usual"));
    const sale = { ...block("x"), key: "sale", priority: 1, schedule: { from: wall(1), to: wall(2) } };
    expect(seen((await publish(site, sale)).warnings)).toEqual(["hint hidden-block /priority"]);
    const { warnings } = await publish(site, { ...block("x"), key: "also", ...only(PRO) });
    expect(seen(warnings)).toEqual(["hint same-priority /priority", "hint hidden-block /priority"]);
    expect(warnings[0].detail).toContain('"also" comes first');
  });

  it("one whose time is over and one whose cap is never reached are told of", async () => {
    const site = await newSite();
    const over = block("x", { schedule: { to: wall(-1) }, cap: { times: 100, within: "1m" } });
    expect(seen(await lint(site, over))).toEqual(["warning never-on /schedule/to", "warning cap-unreachable /cap"]);
    const fine = block("x", { schedule: { to: wall(1) }, cap: { times: 60, within: "1m" } });
    expect(await lint(site, fine)).toEqual([]);
  });
});

describe("a block that stops while it renders", () => {
  it.each<[string, string, string]>([
    ["for everybody", "{% for i in (1..100000) %}{{ i }}{% endfor %}", "nothing is known"],
    [
      "for whom nothing is known",
      "{% unless customer.visits %}{% for i in (1..100000) %}{{ i }}{% endfor %}{% endunless %}",
      "nothing is known",
    ],
    [
      "for long texts",
      "{% for a in cart.items %}{% for b in cart.items %}{% for c in cart.items %}{{ c.name }}{% endfor %}{% endfor %}{% endfor %}",
      "long, odd text",
    ],
  ])("%s is saved, and not published", async (_name, template, who) => {
    const site = await newSite();
    await publish(site, block("fine"));
    await site.put("/api/blocks/hero", block("fine", { fallback: template }));
    const problem = await problemOf(site.send("POST", "/api/blocks/hero/publish"), "invalid-template");
    expect(problem.errors).toEqual([{ pointer: "/fallback", code: "render", detail: expect.stringContaining(who) }]);
    expect(await site.get("/api/blocks/hero")).toMatchObject({ version: 2, liveVersion: 1 });
  });

  it("or whose link leads nowhere safe is not published", async () => {
    const site = await newSite();
    const variants = [
      { key: "a", audience: PRO, template: "x", link: "{{ cart.items[0].url }}" },
      { key: "b", template: "x", link: "{{ cart.items[9999].url | default: 'javascript:alert(1)' }}" },
    ];
    await site.post("/api/blocks", block("", { variants }));
    const problem = await problemOf(site.send("POST", "/api/blocks/hero/publish"), "invalid-template");
    expect(problem.errors).toMatchObject([{ pointer: "/variants/1/link", code: "unsafe-url" }]);
  });

  it("is not rolled back to, should what is allowed have changed since it was published", async () => {
    const site = await newSite();
    await publish(site, block("old"));
    await site.put("/api/blocks/hero", block("new"));
    await site.post("/api/blocks/hero/publish");
    const body = JSON.stringify({
      variants: [{ key: "a", audience: null, template: "{{ x | gone }}" }],
      fallback: null,
    });
    await env.DB.prepare("UPDATE block_versions SET body = ?2 WHERE site_id = ?1 AND version = 1")
      .bind(site.siteId, body)
      .run();
    const problem = await problemOf(site.send("POST", "/api/blocks/hero/rollback", { version: 1 }), "invalid-template");
    expect(problem.errors).toMatchObject([{ pointer: "/variants/0/template", code: "liquid-syntax" }]);
    expect(await site.get("/api/blocks/hero")).toMatchObject({ liveVersion: 2 });
  });
});
