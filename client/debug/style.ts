/** The panel's looks. `!important` on the host: there the page's own rules would win otherwise. */
export const STYLE = `
:host {
  all: initial !important;
  position: fixed !important;
  inset: 0 !important;
  z-index: 2147483647 !important;
  display: block !important;
  pointer-events: none !important;
  contain: layout style !important;
  --back: #fbfcfb; --raised: #fff; --ink: #18211d; --quiet: #5b6963; --line: #dfe5e1; --soft: #eef2ef;
  --on: #0a7a47; --on-soft: #dcf3e6; --warn: #8a5a00; --warn-soft: #fdf0d0; --bad: #b3261e; --bad-soft: #fce4e2; --focus: #0b57d0;
}
.frame { color-scheme: light dark; font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); }
@media (prefers-color-scheme: dark) {
  :host {
    --back: #101614; --raised: #171f1c; --ink: #e8eeea; --quiet: #9caaa3; --line: #29332e; --soft: #1e2824;
    --on: #6ee7a8; --on-soft: #143626; --warn: #f3cf7a; --warn-soft: #372b10; --bad: #ff9d96; --bad-soft: #40191a; --focus: #8ab4ff;
  }
}
@media print { :host { display: none !important; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.panel, .badge { pointer-events: auto; background: var(--back); border: 1px solid var(--line); box-shadow: 0 20px 60px -12px rgb(0 0 0 / 35%), 0 4px 14px rgb(0 0 0 / 12%); }
.panel {
  position: absolute; top: 12px; right: 12px; bottom: 12px; width: min(28rem, calc(100vw - 24px));
  display: flex; flex-direction: column; border-radius: 14px; overflow: hidden;
}
.panel[data-left] { right: auto; left: 12px; }
header { display: flex; align-items: center; gap: 8px; padding: 10px 10px 8px 14px; }
header b { font-size: 14px; font-weight: 650; }
header small { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--quiet); }
.logo { width: 9px; height: 9px; border-radius: 50%; background: var(--on); box-shadow: 0 0 0 3px var(--on-soft); margin-right: 2px; }
.tabs { display: flex; padding: 0 8px; border-bottom: 1px solid var(--line); overflow-x: auto; scrollbar-width: none; flex: none; }
.tabs button { flex: 1 0 auto; border: 0; border-radius: 0; background: none; padding: 7px 6px; font-weight: 500; font-size: 12.5px; color: var(--quiet); box-shadow: inset 0 0 0 var(--line); }
.tabs button:hover { color: var(--ink); background: none; }
.tabs button[aria-selected=true] { color: var(--ink); box-shadow: inset 0 -2px 0 var(--on); }
sup { font-size: 10px; line-height: 1; vertical-align: 3px; margin-left: 3px; color: var(--on); font-variant-numeric: tabular-nums; }
.part { flex: 1; overflow: auto; overscroll-behavior: contain; padding: 12px 14px 20px; scrollbar-width: thin; }
button {
  font: inherit; font-size: 12px; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 8px;
  padding: 4px 10px; cursor: pointer; white-space: nowrap;
}
button:hover { background: var(--soft); }
button:disabled { opacity: .45; cursor: default; }
button.small { padding: 1px 8px; font-size: 11.5px; border-radius: 7px; color: var(--quiet); }
header button.small { border: 0; background: none; padding: 4px 7px; font-size: 13px; }
header button.small:hover { background: var(--soft); color: var(--ink); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
.part:focus-visible { outline-offset: -2px; }
.tabs :focus-visible { outline-offset: -3px; border-radius: 6px; }
h2 { margin: 18px 0 6px; font-size: 11px; font-weight: 600; letter-spacing: .07em; text-transform: uppercase; color: var(--quiet); }
section:first-child h2 { margin-top: 0; }
p { margin: 0 0 10px; }
small { font-size: 12px; color: var(--quiet); }
.hint { color: var(--quiet); }
.problem { padding: 7px 10px; border-radius: 8px; background: var(--bad-soft); color: var(--bad); }
.bar { display: flex; align-items: center; gap: 8px; margin-bottom: 8px; flex-wrap: wrap; }
.bar > :first-child { flex: 1; }
input {
  font: inherit; font-size: 12.5px; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 8px;
  padding: 5px 9px; min-width: 0;
}
input::placeholder { color: var(--quiet); opacity: .8; }
label.bar > :first-child { flex: 0 1 auto; }
label.bar input { flex: 1; }
label.bar small { flex: 1 0 100%; margin-top: -4px; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: minmax(6.5rem, 34%) 1fr; gap: 10px; align-items: baseline; padding: 4px 0; border-bottom: 1px solid var(--line); }
dl div:last-child { border: 0; }
dt { color: var(--quiet); overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; }
dd button { margin-left: 8px; }
.rows { list-style: none; margin: 0; padding: 0; }
.rows > li { border-bottom: 1px solid var(--line); }
.rows > li:last-child { border: 0; }
.row, .rows summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 8px; padding: 7px 0; }
.row > b, summary > b { flex: 1; min-width: 7rem; font-weight: 600; overflow-wrap: anywhere; }
.row > small, summary > small { flex: 1 0 100%; }
.row > .mark + b ~ small, summary > .mark + b ~ small { padding-left: 16px; }
.row > .mark, summary > .mark { align-self: center; }
summary { cursor: pointer; border-radius: 6px; overflow-wrap: anywhere; }
.rows summary { list-style: none; }
.rows summary::-webkit-details-marker { display: none; }
details:not(.rows details) summary { padding: 3px 0; }
li > .row + details > summary { padding: 0 0 7px; color: var(--quiet); font-size: 12px; display: list-item; list-style: disclosure-closed inside; }
li > .row + details[open] > summary { list-style-type: disclosure-open; }
.mark { flex: none; width: 8px; height: 8px; border-radius: 50%; box-shadow: inset 0 0 0 1.5px var(--quiet); }
.mark[data-value=true] { background: var(--on); box-shadow: none; }
.mark[data-value=unknown] { background: var(--warn); box-shadow: none; border-radius: 2px; }
.mark[data-kind] { background: var(--quiet); box-shadow: none; }
.mark[data-kind=segments], .mark[data-kind=ready] { background: var(--on); }
.mark[data-kind=slot], .mark[data-kind=simulated] { background: var(--focus); }
.mark[data-kind=error], .mark[data-kind=rejected] { background: var(--bad); }
.mark[data-kind=consent] { background: var(--warn); }
.tag { font-size: 11.5px; padding: 0 7px; border-radius: 99px; background: var(--soft); color: var(--quiet); }
.tag[data-value=true] { background: var(--on-soft); color: var(--on); }
.tag[data-value=unknown] { background: var(--warn-soft); color: var(--warn); }
.tag[data-value=refused] { background: var(--bad-soft); color: var(--bad); }
time { font-variant-numeric: tabular-nums; color: var(--quiet); white-space: nowrap; font-size: 12px; }
.timeline .row, .timeline summary { flex-wrap: nowrap; padding: 4px 0; }
.timeline .mark { transform: translateY(-1px); align-self: baseline; }
.timeline span { overflow-wrap: anywhere; min-width: 0; }
.tree { list-style: none; margin: 0 0 8px 3px; padding: 0 0 0 12px; border-left: 1px solid var(--line); font-size: 12.5px; }
.tree li { position: relative; padding: 3px 0 3px 16px; overflow-wrap: anywhere; }
.tree > li > .mark { position: absolute; left: 0; top: 8px; }
.tree small { display: block; }
.tree .tree { margin-top: 3px; }
pre {
  margin: 4px 0 10px; padding: 8px 10px; max-height: 16rem; overflow: auto; border-radius: 8px; background: var(--soft); white-space: pre-wrap;
  overflow-wrap: anywhere; font: 11.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
.choices { display: flex; flex: none; flex-wrap: wrap; gap: 4px; }
.row .choices, dd .choices { gap: 0; }
.row .choices button, dd .choices button { border-radius: 0; margin: 0 0 0 -1px; padding: 2px 9px; }
.row .choices button:first-child, dd .choices button:first-child { border-radius: 7px 0 0 7px; }
.row .choices button:last-child, dd .choices button:last-child { border-radius: 0 7px 7px 0; }
.choices + .hint { margin-top: 8px; }
.choices + .bar { margin-top: 8px; }
button[aria-pressed=true] { background: var(--on-soft); color: var(--on); border-color: var(--on); position: relative; font-weight: 600; }
li[data-changed] > .row > b { color: var(--warn); }
.simulating, .badge { display: flex; align-items: center; gap: 8px; background: var(--warn-soft); color: var(--warn); }
.simulating { padding: 6px 10px 6px 14px; }
.simulating span { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.badge { position: absolute; right: 12px; bottom: 12px; max-width: calc(100vw - 24px); padding: 5px 8px 5px 5px; border-radius: 99px; border-color: var(--warn); }
.badge button:first-child { border: 0; background: none; color: inherit; overflow: hidden; text-overflow: ellipsis; border-radius: 99px; }
.simulating .small, .badge .small { color: inherit; border-color: currentColor; background: none; }
.outline { position: fixed; border-radius: 6px; box-shadow: 0 0 0 3px var(--on), 0 0 0 6px rgb(255 255 255 / 70%), 0 0 0 9999px rgb(0 0 0 / 25%); }
@media (max-width: 40rem) {
  .panel, .panel[data-left] { left: 0; right: 0; bottom: 0; top: auto; width: auto; height: min(72vh, 40rem); border-radius: 16px 16px 0 0; border-width: 1px 0 0; }
  header [data-do=side] { display: none; }
  button { padding: 6px 11px; }
  button.small, .row .choices button, dd .choices button { padding: 5px 11px; }
  .tabs button { padding: 10px 9px; }
  input { font-size: 16px; }
}
`;
