/** What workerd's HTML parser cannot take: pages go on as they came, here without a proxy that parses them itself. */
import { describe, expect, it } from "vitest";
import { readSmall } from "../../../edge/stream/guard.ts";
import { fillPage } from "../../../edge/stream/page.ts";

const HTML = { "content-type": "text/html; charset=utf-8" };
const SLOT = '<attune-block name="hero">Own</attune-block>';
const AMBIGUOUS = [
  "<select><style>b{}</style></select>",
  "<SELECT name=a><option>1<xmp></xmp></select>",
  "<select><noscript><p></noscript></select>",
  "<template><select><title>x</title></select></template>",
  "<frameset></frameset><title></title>",
];

const fill = (page: Response) =>
  fillPage(
    page,
    async () => ({ id: "d1", html: "<b>Shown</b>", elements: new Set(["b"]) }),
    () => null,
  ).text();

/** A page that comes in parts, without a word about its length. */
function stream(parts: readonly string[]): Response {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const write = async () => {
    for (const part of parts) await writer.write(new TextEncoder().encode(part));
    await writer.close();
  };
  write().catch(() => {});
  return new Response(readable, { headers: HTML });
}

describe.each(AMBIGUOUS)("%s, of which the parser cannot tell what follows,", (part) => {
  it("breaks a page off where nobody watches", async () => {
    const rewriter = new HTMLRewriter().on("b", { element() {} });
    await expect(rewriter.transform(new Response(SLOT + part, { headers: HTML })).text()).rejects.toThrow(/ambiguous/);
  });

  it("leaves a small page as it is", async () => {
    const page = `${SLOT}${part}<p>After</p>`;
    const headers = { ...HTML, "content-length": String(page.length) };
    const { page: read, isParsable } = await readSmall(new Response(page, { headers }));
    expect([isParsable, await read.text()]).toEqual([false, page]);
  });

  it.each([0, 3, 9])("comes whole, and so does what stands behind it (cut at %i)", async (at) => {
    const start = SLOT + " ".repeat(40_000);
    const parts = [start + part.slice(0, at), part.slice(at), `<p>After</p>${SLOT}`];
    const filled = await fill(stream(parts));
    expect(filled).toContain("<b>Shown</b>");
    expect(filled.endsWith(`${part}<p>After</p>${SLOT}`)).toBe(true);
  });
});

it.each([
  "<select><option>1</select><style>b{}</style>",
  "<select><script>1</script><option></select>",
  "<select><textarea></textarea></select>",
  "<selected><style></style>",
])("%s is understood", async (part) => {
  const page = `${part}${SLOT}`;
  expect(await fill(stream([page]))).toContain("<b>Shown</b>");
  const headers = { ...HTML, "content-length": String(page.length) };
  expect((await readSmall(new Response(page, { headers }))).isParsable).toBe(true);
});
