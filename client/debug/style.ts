/** The panel's looks. `!important` on the host: there the page's own rules would win otherwise. No `rem`, which is the page's to set. */
export const STYLE = `
:host {
  all: initial !important; position: fixed !important; inset: 0 !important; z-index: 2147483647 !important; display: block !important; pointer-events: none !important;
  --back: #fbfcfb; --raised: #fff; --ink: #18211d; --quiet: #5b6963; --line: #dfe5e1; --soft: #eef2ef;
  --on: #0a7a47; --on-soft: #dcf3e6; --warn: #8a5a00; --warn-soft: #fdf0d0; --bad: #b3261e; --bad-soft: #fce4e2; --focus: #0b57d0;
}
@media (prefers-color-scheme: dark) {
  :host {
    --back: #101614; --raised: #171f1c; --ink: #e8eeea; --quiet: #9caaa3; --line: #29332e; --soft: #1e2824;
    --on: #6ee7a8; --on-soft: #143626; --warn: #f3cf7a; --warn-soft: #372b10; --bad: #ff9d96; --bad-soft: #40191a; --focus: #8ab4ff;
  }
}
@media print { :host { display: none !important; } }
* { box-sizing: border-box; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: -1px; }
.frame { color-scheme: light dark; font: 13px/1.45 system-ui, sans-serif; color: var(--ink); }
.panel, .badge { position: absolute; right: 12px; bottom: 12px; pointer-events: auto; background: var(--back); border: 1px solid var(--line); box-shadow: 0 12px 48px rgb(0 0 0 / 30%); }
.panel { top: 12px; width: min(448px, calc(100vw - 24px)); display: flex; flex-direction: column; border-radius: 14px; overflow: hidden; }
.panel[data-left] { right: auto; left: 12px; }
header, .bar, .simulating, .badge { display: flex; align-items: center; gap: 8px; }
header { padding: 10px 10px 8px 14px; }
header b { font-size: 14px; }
header small { flex: 1; }
.logo { width: 9px; height: 9px; border-radius: 50%; background: var(--on); box-shadow: 0 0 0 3px var(--on-soft); margin-right: 2px; }
.part { flex: 1; overflow: auto; overscroll-behavior: contain; padding: 12px 14px 20px; }
button, input { font: inherit; font-size: 12px; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 4px 10px; min-width: 0; }
button { cursor: pointer; white-space: nowrap; }
button:hover { background: var(--soft); }
.small { flex: none; padding: 1px 8px; color: var(--quiet); }
header .small { border: 0; background: none; padding: 4px 7px; font-size: 13px; }
.tabs { display: flex; flex: none; padding: 0 8px; border-bottom: 1px solid var(--line); overflow-x: auto; scrollbar-width: none; }
.tabs button { flex: 1 0 auto; border: 0; border-radius: 0; background: none; padding: 7px 5px; font-size: 12.5px; color: var(--quiet); }
.tabs button:hover, .tabs [aria-selected=true] { color: var(--ink); }
.tabs [aria-selected=true] { box-shadow: inset 0 -2px var(--on); }
sup { font-size: 10px; line-height: 1; margin-left: 3px; color: var(--on); }
h2 { margin: 18px 0 6px; font-size: 11px; font-weight: 600; letter-spacing: .07em; text-transform: uppercase; }
section:first-child h2 { margin-top: 0; }
p { margin: 0 0 10px; }
small, time { font-size: 12px; font-variant-numeric: tabular-nums; }
time { flex: none; }
h2, small, time, dt, .hint { color: var(--quiet); }
.problem { padding: 7px 10px; border-radius: 8px; }
.bar { margin-bottom: 8px; flex-wrap: wrap; }
.bar > :first-child, label.bar input, .simulating span { flex: 1; }
label.bar > :first-child { flex: none; }
input { padding: 5px 9px; font-size: 12.5px; }
label.bar small { flex: 1 0 100%; margin-top: -4px; }
dl { margin: 0; }
dl div { display: grid; grid-template-columns: minmax(90px, 34%) 1fr; gap: 10px; align-items: baseline; padding: 4px 0; }
dd { margin: 0; }
dd button { margin-left: 8px; }
ul { list-style: none; margin: 0; padding: 0; }
dl div, .rows > li { border-bottom: 1px solid var(--line); }
dl div:last-child, .rows > li:last-child { border: 0; }
summary { cursor: pointer; padding: 3px 0; }
.row, .rows > li > details > summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 8px; padding: 7px 0; }
.row > b, summary > b { flex: 1; min-width: 96px; }
.row > small, summary > small { flex: 1 0 100%; }
.mark + b ~ small { padding-left: 16px; }
.row .mark, summary .mark { align-self: center; }
.rows > li > .row + details > summary { padding: 0 0 7px; color: var(--quiet); font-size: 12px; display: list-item; }
.mark { flex: none; width: 8px; height: 8px; border-radius: 50%; box-shadow: inset 0 0 0 1.5px var(--quiet); }
.mark[data-kind] { background: var(--quiet); box-shadow: none; }
.mark[data-value=true], [data-kind=segments], [data-kind=ready] { background: var(--on) !important; box-shadow: none; }
[data-kind=slot], [data-kind=simulated] { background: var(--focus) !important; }
[data-kind=error], [data-kind=rejected] { background: var(--bad) !important; }
.mark[data-value=unknown], [data-kind=consent] { background: var(--warn) !important; box-shadow: none; }
.tag { font-size: 11.5px; padding: 0 7px; border-radius: 99px; background: var(--soft); color: var(--quiet); }
.tag[data-value=true], [aria-pressed=true] { background: var(--on-soft); color: var(--on); }
.tag[data-value=unknown], .simulating, .badge { background: var(--warn-soft); color: var(--warn); }
.tag[data-value=refused], .problem { background: var(--bad-soft); color: var(--bad); }
.timeline .row, .timeline li > details > summary { flex-wrap: nowrap; padding: 4px 0; }
.timeline .mark { align-self: baseline; }
.tree { margin: 0 0 8px 3px; padding: 0 0 0 12px; border-left: 1px solid var(--line); font-size: 12.5px; }
.tree li { position: relative; padding: 3px 0 3px 16px; }
.tree > li > .mark { position: absolute; left: 0; top: 8px; }
.tree small { display: block; }
pre { margin: 4px 0 10px; padding: 8px 10px; max-height: 256px; overflow: auto; border-radius: 8px; background: var(--soft); white-space: pre-wrap; font: 11.5px/1.5 ui-monospace, monospace; }
.choices { display: flex; flex-wrap: wrap; gap: 4px; margin-bottom: 8px; }
.row .choices, dd .choices { gap: 0; margin: 0; }
.row .choices button, dd .choices button { border-radius: 0; margin: 0 0 0 -1px; padding: 2px 9px; }
.row .choices :first-child, dd .choices :first-child { border-radius: 7px 0 0 7px; }
.row .choices :last-child, dd .choices :last-child { border-radius: 0 7px 7px 0; }
[aria-pressed=true] { border-color: var(--on); position: relative; font-weight: 600; }
[data-changed] > .row > b { color: var(--warn); }
.simulating { padding: 6px 10px 6px 14px; }
.badge { max-width: calc(100vw - 24px); padding: 5px 8px 5px 5px; border-radius: 99px; border-color: currentColor; }
.badge button, .simulating .small { color: inherit; border-color: currentColor; background: none; }
.badge [data-do=open] { border: 0; overflow: hidden; text-overflow: ellipsis; }
.outline { position: fixed; border-radius: 6px; box-shadow: 0 0 0 3px var(--on), 0 0 0 6px rgb(255 255 255 / 70%), 0 0 0 9999px rgb(0 0 0 / 25%); }
@media (max-width: 640px) {
  .panel, .panel[data-left] { left: 0; right: 0; bottom: 0; top: auto; width: auto; height: min(64vh, 640px); border-radius: 16px 16px 0 0; }
  [data-do=side] { display: none; }
  button, .row .choices button, dd .choices button { padding: 5px 11px; }
  .tabs button { padding: 10px 9px; }
  input { font-size: 16px; }
  label.bar input[type=datetime-local] { flex-basis: 240px; }
}
`;
