/** The looks of shared previews. What is shown stands in a frame of its own, on white, whatever the page's scheme. */
export const STYLE = `
:root {
  color-scheme: light dark; --back: #fbfcfb; --raised: #fff; --ink: #18211d; --quiet: #55635d; --line: #dbe2de; --soft: #eef2ef;
  --on: #0a7a47; --on-soft: #dcf3e6; --warn: #7d5200; --warn-soft: #fdf0d0; --bad: #b3261e; --bad-soft: #fce4e2; --focus: #0b57d0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #101614; --raised: #171f1c; --ink: #e8eeea; --quiet: #9caaa3; --line: #2b3630; --soft: #1e2824;
    --on: #6ee7a8; --on-soft: #143626; --warn: #f3cf7a; --warn-soft: #372b10; --bad: #ff9d96; --bad-soft: #40191a; --focus: #8ab4ff;
  }
}
* { box-sizing: border-box; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 84rem; margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px); }
header { padding-top: 28px; }
header p { max-width: none; }
main.note { max-width: 36rem; padding-top: 18vh; }
h1 { margin: 0; font-size: 24px; line-height: 1.25; }
h2 { margin: 36px 0 8px; font-size: 18px; }
h3 { margin: 22px 0 6px; font-size: 14px; font-weight: 600; color: var(--quiet); }
p { margin: 6px 0; max-width: 48rem; }
.quiet, footer, label, legend { color: var(--quiet); }
.lead { font-size: 18px; }
.bar { display: flex; flex-wrap: wrap; align-items: end; gap: 12px 20px; margin: 20px 0; }
.bar label { display: grid; grid-template-columns: minmax(0, 1fr); gap: 2px; min-width: 0; font-size: 13px; }
.bar select { max-width: 18rem; }
details { margin: 12px 0; }
summary { cursor: pointer; }
pre { margin: 8px 0; padding: 12px 16px; max-width: 48rem; white-space: pre-wrap; font: 14px/1.5 ui-monospace, monospace; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); }
input, select, button { font: inherit; font-size: 15px; min-height: 40px; padding: 6px 12px; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 8px; }
button { cursor: pointer; font-weight: 600; }
button:hover, .widths label:hover { background: var(--soft); }
fieldset { border: 0; margin: 0; padding: 0; }
legend { float: left; padding: 0; margin-right: 14px; font-size: 13px; line-height: 40px; }
.widths { display: flex; flex-wrap: wrap; margin-bottom: 10px; }
.widths input { position: absolute; opacity: 0; pointer-events: none; }
.widths label { padding: 7px 14px; font-size: 15px; cursor: pointer; border: 1px solid var(--line); background: var(--raised); }
.widths label:first-of-type { border-radius: 8px 0 0 8px; }
.widths label:last-of-type { border-radius: 0 8px 8px 0; }
.widths label + input + label { border-left: 0; }
.widths :checked + label { color: var(--on); background: var(--on-soft); font-weight: 600; }
.widths :focus-visible + label { outline: 2px solid var(--focus); outline-offset: 2px; }
.stage { overflow: auto; resize: vertical; height: 440px; min-height: 120px; padding: 16px; border: 1px solid var(--line); border-radius: 12px; background: var(--soft); }
.stage iframe { display: block; width: 1280px; height: 100%; margin: 0 auto; border: 0; border-radius: 6px; background: #fff; color-scheme: light; }
.empty { display: grid; place-items: center; height: 160px; max-width: none; resize: none; color: var(--quiet); }
main:has(#window:checked) iframe { width: 100%; }
main:has(#phone:checked) iframe { width: 390px; }
main:has(#tablet:checked) iframe { width: 820px; }
.cards { display: flex; flex-wrap: wrap; gap: 16px; margin: 12px 0; }
.cards img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px; }
ol { list-style: none; margin: 0; padding: 0; max-width: 60rem; }
li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 16px; padding: 12px 0; border-top: 1px solid var(--line); }
li p { grid-column: 1 / -1; margin: 0; color: var(--quiet); max-width: 52rem; }
.mark { align-self: center; padding: 1px 10px; font-size: 13px; border-radius: 99px; color: var(--quiet); background: var(--soft); }
.chosen .mark { color: var(--on); background: var(--on-soft); }
.consent .mark, .unknown .mark { color: var(--warn); background: var(--warn-soft); }
.error .mark { color: var(--bad); background: var(--bad-soft); }
footer { margin: 44px auto 0; padding-block: 18px 40px; font-size: 14px; }
footer p { border-top: 1px solid var(--line); padding-top: 16px; max-width: none; }
@media (max-width: 40rem) { .bar label, .bar button { flex: 1 1 100%; } .bar select { max-width: none; } legend { width: 100%; line-height: 1.5; } .widths label { flex: 1; padding-inline: 4px; text-align: center; } .stage { padding: 0; } .stage iframe { margin: 0; border-radius: 0; } main:has(#phone:checked) iframe { width: 100%; } }
`;
