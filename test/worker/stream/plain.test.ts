/** Which HTML may be written into a page while it streams, and which pages may be. */
import { expect, it } from "vitest";
import { isFillable } from "../../../edge/stream/page.ts";
import { readPlain, staysWithin } from "../../../edge/stream/plain.ts";

it.each([
  "text & more, 1 < 2",
  '<section class="hero"><img src="/a.svg" alt=""><h1>Two<br>lines</h1><a href="/p?a=1&amp;b=2">Shop</a></section>',
  "<ul><li>One</li><li>Two</li></ul><dl><dt>A</dt><dd>B</dd></dl>",
  "<table><caption>C</caption><tbody><tr><td>1</td></tr></tbody></table>",
  "<style>p > b { color: red }</style><!-- a comment --><p>One</p>",
  '<svg viewBox="0 0 1 1"><path d="M0 0"/><g><circle r="1"></circle></g></svg>',
  '<form action="/x"><input name=a value=b><select><option selected>1</option></select><textarea>x</textarea></form>',
  "<my-card title='a \"b\"'><slot-like></slot-like></my-card>",
  '<img alt="&#39;quoted&#34; &eacute;">',
  '<img alt="Running on java, script: é" data-on="onward">',
])("takes %s", (html) => {
  expect(readPlain(html)).not.toBeNull();
});

it.each([
  // Leaves its place.
  "<p>One<p>Two",
  "</div>",
  "<div>",
  "<div></span></div>",
  "<!-- open",
  "<!-->--><b></b>",
  "<!--a--!><b></b>-->",
  "<b",
  '<b title="open>',
  "<style>p {}",
  "<textarea><b></textarea>",
  "<li>One</li>",
  "<tr><td>1</td></tr>",
  "<option>1</option>",
  "<a><b><a></a></b></a>",
  "<h1><h2></h2></h1>",
  "<select><p></p></select>",
  "<template><b></b></template>",
  "<noscript><b></b></noscript>",
  "<plaintext>",
  "<body></body>",
  "<b/>",
  "a\0b",
  "<![CDATA[x]]>",
  "<?x?>",
  "<!doctype html>",
  // The parser reads it in another way than it looks.
  "<svg><style><img src=x onerror=1></style></svg>",
  "<svg><p></p></svg>",
  "<math><mi></mi></math>",
  "<svg><foreignObject><b></b></foreignObject></svg>",
  // The script would take it out.
  "<script>1</script>",
  "<SCRIPT src=x></SCRIPT>",
  "<base href=/x>",
  '<meta http-equiv="refresh" content="0">',
  "<object></object>",
  "<embed src=x>",
  "<img src=x onerror=alert(1)>",
  '<img src=x OnLoad="1">',
  '<iframe srcdoc="<b>"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" java\tscript:alert(1)">x</a>',
  '<a href="java&#115;cript:alert(1)">x</a>',
  '<a href="java&#x73;cript:alert(1)">x</a>',
  '<a href="java&#115cript:alert(1)">x</a>',
  '<a href="javascript&colon;alert(1)">x</a>',
  '<a href="java&Tab;script:alert(1)">x</a>',
  "<a href=JaVaScRiPt:1>x</a>",
  '<a title="a" href="j\na va\u00a0s c\u0001ript:1">x</a>',
  '<img\tsrc="x"\nonerror="1">',
  '<svg><a href="javascript:1"></a></svg>',
  '<form><button formaction="javascript:1">x</button></form>',
])("refuses %s", (html) => {
  expect(readPlain(html)).toBeNull();
});

it("keeps HTML from where the parser would take it out of its place", () => {
  const fits = (around: string[], html: string) => staysWithin(new Set(around), readPlain(html)!);
  expect(fits(["p"], "<b>x</b>")).toBe(true);
  expect(fits(["p"], "<span><div>x</div></span>")).toBe(false);
  expect(fits(["a"], '<span><a href="/">x</a></span>')).toBe(false);
  expect(fits(["form"], "<form></form>")).toBe(false);
  expect(fits(["button"], "<div></div>")).toBe(true);
});

it("comes to an end with whatever never ends", () => {
  for (const part of ['<a b="', "<a b ", "<!--", "<a ", "<a b=c", "<b>", '<a b="&#1'])
    expect(readPlain(part.repeat(20_000))).toBeNull();
});

it.each([
  ["utf-8", true],
  ["iso-8859-1", true],
  ["shift_jis", true],
  ["utf-16le", false],
  ["iso-2022-jp", false],
  ["nonsense", false],
])("of pages in %s: %s", (charset, expected) => {
  const page = new Response("x", { headers: { "content-type": `Text/HTML; charset="${charset}"` } });
  expect(isFillable(page)).toBe(expected);
});
