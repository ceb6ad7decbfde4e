/**
 * Values that would run code were they not made harmless, by construction: where they break out of, what they open there, what they
 * write as an address, and how they hide it. Each tells `top.ran` its number, or asks the canary's host.
 */
const RUN = "top.ran(@)";
const CANARY = "https://canary.example/@";
const IMG = `<img src onerror=${RUN}>`;

const ELEMENTS = [
  IMG,
  `<script>${RUN}</script>`,
  `<svg onload=${RUN}>`,
  `<svg/onload='${RUN}'/>`,
  `<iframe onload=${RUN}></iframe>`,
  `<iframe srcdoc="<script>${RUN}</script>"></iframe>`,
  `<iframe src="javascript:${RUN}"></iframe>`,
  `<iframe src="data:text/html,<script>${RUN}</script>"></iframe>`,
  `<body onload=${RUN}>`,
  `<video><source onerror=${RUN}></video>`,
  `<audio src onerror=${RUN}></audio>`,
  `<input autofocus onfocus=${RUN}>`,
  `<select autofocus onfocus=${RUN}></select>`,
  `<textarea autofocus onfocus=${RUN}></textarea>`,
  `<details open ontoggle=${RUN}><summary>x</summary></details>`,
  `<marquee onstart=${RUN}>x</marquee>`,
  `<object data="javascript:${RUN}"></object>`,
  `<object onerror=${RUN}></object>`,
  `<embed src="javascript:${RUN}">`,
  `<style onload=${RUN}></style>`,
  `<style>*{background:url(${CANARY})}</style>`,
  `<style>@import "${CANARY}"</style>`,
  `<link rel=stylesheet href=${CANARY} onerror=${RUN}>`,
  `<link rel=prefetch href=${CANARY}>`,
  `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
  `<meta http-equiv=refresh content="0;url=${CANARY}">`,
  "<base href=https://canary.example/@/>",
  `<form action=javascript:${RUN}><input type=submit></form>`,
  `<form id=f@ onformdata=${RUN}></form><button form=f@ formaction=javascript:${RUN}>x</button>`,
  `<isindex action=javascript:${RUN} type=submit>`,
  `<math><maction actiontype="statusline#x" xlink:href="javascript:${RUN}">x</maction></math>`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><script href="data:,${RUN}"></script></svg>`,
  `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
  `<svg><a><animate attributeName=href values=javascript:${RUN} /><text y=9>x</text></a></svg>`,
  `<svg><set attributeName=onmouseover to=${RUN} /></svg>`,
  `<svg><use href="data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><script>${RUN}</script></svg>#x"/></svg>`,
  `<svg><foreignObject>${IMG}</foreignObject></svg>`,
  `<img src=${CANARY}>`,
  `<img srcset="${CANARY} 1x">`,
  `<picture><source srcset=${CANARY}><img></picture>`,
  `<video poster=${CANARY}></video>`,
  `<audio src=${CANARY}></audio>`,
  `<script src=${CANARY}></script>`,
  `<script type=module>import "${CANARY}"</script>`,
  `<p style="animation:go@ 1ms" onanimationstart=${RUN}>x</p><style>@keyframes go@{to{left:0}}</style>`,
  `<template shadowrootmode=open>${IMG}</template>`,
  `<dialog open><p popover id=p@ onbeforetoggle=${RUN}>x</p></dialog>`,
  `<x onclick=${RUN} tabindex=1 autofocus onfocus=${RUN}>x</x>`,
  `<a href=javascript:${RUN}>x</a>`,
  `<table background=${CANARY}><td background=${CANARY}></table>`,
];

/** What a value may stand in, and has to leave first. */
const BREAKS = [
  ...['">', "'>", ">", "-->", "--!>", "*/", "]]>", '\\">', "`>", "?>", "%>", "}}", "%}", "/>", '"/>'],
  ...["textarea", "title", "style", "script", "noscript", "template", "select", "svg", "math", "iframe", "xmp"].map(
    (name) => `</${name}>`,
  ),
  ...['"></a></p></div>', "</attune-block>", "</body></html>", "</title/>", "</textarea\t>", "</STYLE\n>"],
];
const STRONG = [IMG, `<script>${RUN}</script>`, `<svg/onload=${RUN}>`];

const HANDLERS = ["onmouseover", "onfocus", "onerror", "onload", "onpointerenter", "onanimationstart"];
const ATTRIBUTES = ['"', "'", "", "` ", '"\t', "'/", "&quot; ", "&#34; ", "&#x27; "].flatMap((quote) =>
  HANDLERS.map((handler) => `${quote} ${handler}=${RUN} autofocus tabindex=1 x=${quote.trim()}`),
);

/** The same scheme in ways that browsers read, read once, or some day might. */
const SCHEMES = [
  ...["javascript:", "JavaScript:", "JAVASCRIPT:", " javascript:", "\tjavascript:", "\njavascript:", "\r\njavascript:"],
  ...[
    "java\tscript:",
    "java\nscript:",
    "java\rscript:",
    "j\na\tv\ra\ns\tc\rr\ni\tp\rt\n:",
    "javascript\t:",
    "javascript\n:",
  ],
  ...[
    "\u0001javascript:",
    "\u0000javascript:",
    "\u001fjavascript:",
    "\u000bjavascript:",
    "\u000cjavascript:",
    "\u00a0javascript:",
  ],
  ...[
    "\u2028javascript:",
    "\ufeffjavascript:",
    "\u200bjavascript:",
    "\u0085javascript:",
    "java\u0000script:",
    "java\u200bscript:",
  ],
  ...[
    "&#106;avascript:",
    "&#x6a;avascript:",
    "&#0000106avascript:",
    "&#X6A;avascript:",
    "&Tab;javascript:",
    "java&Tab;script:",
  ],
  ...[
    "java&NewLine;script:",
    "javascript&colon;",
    "javascript&#58;",
    "javascript&#x3a;",
    "&amp;#106;avascript:",
    "%6aavascript:",
  ],
  ...[
    "javascript%3a",
    "java%0ascript:",
    "ｊavascript:",
    "javaſcript:",
    "javascrıpt:",
    "javascript：",
    "feed:javascript:",
  ],
  ...[
    "view-source:javascript:",
    "jar:javascript:",
    "javascript:javascript:",
    "javascript://%0a",
    "javascript:/*x*/",
    "livescript:",
  ],
  ...[
    "mocha:",
    "vbscript:",
    "VBSCRIPT:",
    "vb\tscript:",
    "data:text/html,<script>",
    "DATA:text/html;charset=utf-8,<script>",
  ],
  ...[
    "data:text/html;base64,",
    "da\tta:text/html,<script>",
    "data:image/svg+xml,<svg onload=",
    "data:application/xhtml+xml,",
  ],
  ...[
    "data:,",
    "blob:null/",
    "filesystem:null/",
    "about:blank#",
    "x-javascript:",
    "javascript&#x0003A",
    "java\\nscript:",
  ],
].map((scheme) => `${scheme}${RUN}`);

/** Harmless until they are parsed a second time, in another place, or written out and read again. */
const MUTATIONS = [
  `<noscript><p title="</noscript>${IMG}">`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;${IMG}">`,
  `<math><mtext></p><style><a title="</style>${IMG}">`,
  `<svg></p><style><a id="</style>${IMG}">`,
  `<form><math><mtext></form><form><mglyph><style></math>${IMG}`,
  `<svg><desc><title><![CDATA[</title>${IMG}]]>`,
  `<svg><style>&lt;/style&gt;&lt;img src onerror=${RUN}&gt;</style></svg>`,
  `<select><template><style><!--</style><a rel="--></style></template></select>${IMG}">`,
  `<table><td></table><a title="</td>${IMG}">`,
  `<textarea><!--</textarea>${IMG}-->`,
  `<title><!--</title>${IMG}-->`,
  `<xmp><p title="</xmp>${IMG}">`,
  `<iframe><p title="</iframe>${IMG}">`,
  `<noembed><p title="</noembed>${IMG}">`,
  `<plaintext><p title="</plaintext>${IMG}">`,
  `<!--><script>${RUN}</script>-->`,
  `<!-- --!>${IMG}-->`,
  `<!x a=">${IMG}">`,
  `<?x a=">${IMG}">`,
  `<![CDATA[><script>${RUN}</script>]]>`,
  `&lt;img src onerror=${RUN}&gt;`,
  `&amp;lt;img src onerror=${RUN}&amp;gt;`,
  `&#60;img src onerror=${RUN}&#62;`,
  `&#x3c;script&#x3e;${RUN}&#x3c;/script&#x3e;`,
  `\\u003cimg src onerror=${RUN}\\u003e`,
  `\\x3cimg src onerror=${RUN}\\x3e`,
  `%3Cimg src onerror=${RUN}%3E`,
  `%253Cimg%20src%20onerror=${RUN}%253E`,
  `＜img src onerror=${RUN}＞`,
  `\u00c0\u00bcscript\u00c0\u00be${RUN}\u00c0\u00bc/script\u00c0\u00be`,
  `‹script›${RUN}‹/script›`,
  `<\u0000script>${RUN}</script>`,
  `<scr\u0000ipt>${RUN}</scr\u0000ipt>`,
  `<img\u0000src\u0000onerror=${RUN}>`,
  `<img/src/onerror=${RUN}>`,
  `<img\u000csrc\u000conerror=${RUN}>`,
  `<img\u000bsrc\u000bonerror=${RUN}>`,
  `<img src onerror\n=\n${RUN}>`,
  `<IMG SRC ONERROR="${RUN}">`,
  `<img src onerror=&#116;op.ran(@)>`,
  `<img src onerror=top[&quot;ran&quot;](@)>`,
  `<img src x="\`><script>${RUN}</script>"\``,
  `<<script>${RUN}//<</script>`,
  `<scr<script>ipt>${RUN}</scr</script>ipt>`,
  `<a\u00a0href=javascript:${RUN}>x`,
  `<img src="x\`\`onerror=${RUN}"`,
  `<svg><p><style><g title="</style>${IMG}">`,
];

/** What other readers of a value would run: Liquid, JSON in a page, a style, an expression, a template of another language. */
const READERS = [
  ...["{{7*7}}", "{{ 7 | times: 7 }}", `{{ '${IMG}' }}`, "{{ customer.secret }}", "{{ customer | json }}"],
  ...[`{% raw %}${IMG}{% endraw %}`, "{% if true %}{{ site.id }}{% endif %}", "{%- comment -%}", "{% endfor %}", "{{"],
  ...[
    "}}",
    "{% include 'x' %}",
    "{{ '' | append: customer.secret }}",
    "$\u007btop.ran(@)}",
    "#{7*7}",
    "<%= 7*7 %>",
    "[[7*7]]",
  ],
  ...["{{constructor.constructor('top.ran(@)')()}}", "__proto__", "constructor", `{"__proto__":{"html":"${IMG}"}}`],
  ...[
    `</script><script>${RUN}</script>`,
    `</script\n>${IMG}`,
    `<!--<script>${RUN}`,
    `\u2028${RUN}\u2029`,
    `";${RUN};"`,
  ],
  ...[
    `';${RUN};'`,
    `\`;${RUN};\``,
    `\\";${RUN}//`,
    `\\';${RUN}//`,
    `'-${RUN}-'`,
    `"+${RUN}+"`,
    `*/${RUN}/*`,
    `\n${RUN}\n`,
  ],
  ...[`expression(${RUN})`, `-moz-binding:url(${CANARY})`, `behavior:url(${CANARY})`, `x:ex/**/pression(${RUN})`],
  ...[
    `<p style="background:url(javascript:${RUN})">`,
    `<p style="width:expression(${RUN})">`,
    `${"A".repeat(3_000)}${IMG}`,
  ],
  ...[
    `${"<b>".repeat(500)}${IMG}`,
    `${"\u202e"}${IMG}`,
    `\ud83d\ude00${IMG}`,
    `a\u0301${IMG}`,
    `1;url=javascript:${RUN}`,
  ],
];

/** What would leave a property of a style, or load something in it. */
const STYLES = [
  ...[`url(${CANARY})`, `red url("${CANARY}")`, `image-set("${CANARY}" 1x)`, `cross-fade(url(${CANARY}), red)`],
  ...[`red;background:url(${CANARY})`, `red;background:image-set('${CANARY}' 1x)`, `red}*{background:url(${CANARY})}`],
  ...[
    `\\75rl(${CANARY})`,
    `\\75 \\72 \\6c(${CANARY})`,
    `u/**/rl(${CANARY})`,
    `/**/url(${CANARY})`,
    `&#117;rl(${CANARY})`,
  ],
  ...[
    `x');background:url('${CANARY}`,
    `x);background:url(${CANARY}`,
    `x\\27);background:url(${CANARY})`,
    `x\n);background:url(${CANARY})`,
  ],
  ...["red;position:fixed;inset:0", "red&#59;position:fixed", "red\\3b position:fixed", "red!important;position:fixed"],
];

/** In this order, so that a number names one. */
export const PAYLOADS: readonly string[] = [
  ...new Set([
    ...ELEMENTS,
    ...BREAKS.flatMap((prefix) => STRONG.map((element) => prefix + element)),
    ...ATTRIBUTES,
    ...SCHEMES,
    ...MUTATIONS,
    ...READERS,
    ...STYLES,
  ]),
].map((payload, index) => payload.replaceAll("@", String(index)));
