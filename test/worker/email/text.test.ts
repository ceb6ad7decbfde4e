import { describe, expect, it } from "vitest";
import { toPlainText } from "../../../edge/email/text.ts";

describe("the plain text of an e-mail", () => {
  it.each<[name: string, html: string, text: string]>([
    ["nothing", "", ""],
    ["white space, as a browser shows it", "<p>\n  One\n\ttwo  <b>three</b>,  four\n</p>", "One two three, four"],
    ["paragraphs and lines", "<h1>Hi</h1><p>A</p><p>B<br>C</p><div>D</div><div>E</div>", "Hi\n\nA\n\nB\nC\n\nD\nE"],
    ["an empty line that is wanted", "A<br><br>B<br/>C", "A\n\nB\nC"],
    [
      "links with where they lead",
      '<a href="https://a.example/?x=1&amp;y=2">Buy <b>now</b></a>!',
      "Buy now (https://a.example/?x=1&y=2)!",
    ],
    ["a link that says its address", '<a href="https://a.example/">https://a.example/</a>', "https://a.example/"],
    ["a link that only a script would follow", '<a href="#top">Up</a> <a href="javascript:x()">No</a>', "Up No"],
    ["an address to write to", '<a href="mailto:hi@a.example">Write</a>', "Write (hi@a.example)"],
    [
      "images by what they say",
      '<a href="https://a.example/"><img src="x.png" alt="Shoes &amp; more"></a><img src="y.png">',
      "Shoes & more (https://a.example/)",
    ],
    [
      "a link around an image that says nothing",
      '<a href="https://a.example/"><img src="x.png" alt=""></a>',
      "https://a.example/",
    ],
    ["lists", "<ul><li>One</li><li>Two<ol start=3><li>a<li>b</ol></li></ul>", "- One\n- Two\n\n  3. a\n  4. b"],
    [
      "tables, a row a line",
      "<table><tr><th>Size</th><th>Price</th></tr><tr><td> M </td><td>9&nbsp;&euro;</td></tr></table>after",
      "Size | Price\nM | 9 €\n\nafter",
    ],
    [
      "tables that only lay out",
      "<table><tr><td><table><tr><td><div>A</div></td></tr></table></td></tr><tr><td>B</td></tr></table>",
      "A\n\nB",
    ],
    [
      "entities, named and numbered",
      "&lt;b&gt; &#8364; &#x1F600; &eacute;&unknown; &#0; &#xD800; &amp;amp; a&b",
      "<b> € 😀 é&unknown; \ufffd \ufffd &amp; a&b",
    ],
    [
      "what is not shown",
      "<style>p{}</style><script>x</script><title>T</title><div style='display: none'>pre<p>header</p></div><!-- no --><!--[if mso]><p>no</p><![endif]-->Yes",
      "Yes",
    ],
    ["text as it was set", "<pre>a\n  b</pre>c", "a\n  b\n\nc"],
    ["a rule between", "A<hr>B", "A\n\n---\n\nB"],
    ["soft hyphens and spaces without width", "Donau&shy;dampf&zwnj;\u200bschiff", "Donaudampfschiff"],
    ["HTML that is not closed", "<p>A<p>B<ul><li>C<a href='https://x.example/'>D", "A\n\nB\n\n- CD"],
    ["HTML that nothing opened", "</p>A</div></li></a>B", "AB"],
  ])("has %s", async (_name, html, text) => {
    expect(await toPlainText(html)).toBe(text);
  });

  it("comes of what HTMLRewriter breaks off at", async () => {
    const styled =
      "<p>A</p><select><style>b{}</style><option>B</select><SELECT/><title>C</title></select><p>D &amp; E</p>";
    expect(await toPlainText(styled)).toBe("A\n\nD & E");
    expect(await toPlainText(`${"<b>".repeat(30_000)}A &amp;<br>B`)).toBe("A & B");
  });

  it("comes of any HTML, and of much of it", async () => {
    expect(await toPlainText(`${"<div>".repeat(1_000)}deep`)).toBe("deep");
    expect(await toPlainText("<p>word</p>".repeat(20_000))).toHaveLength(20_000 * 6 - 2);
    for (const html of ["<", "<a", "<a href", "<!--", "<img alt='", "&", "&#", "&#x;", "<td><td></tr>", "<style>"])
      expect(typeof (await toPlainText(html))).toBe("string");
  });
});
