/** How the status page looks: in light and in the dark, on a desk and on a phone. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --ground: #fff; --panel: #f5f6f8; --text: #1b1f24;
  --bad: #b00020; --good: #0a6b2d; --warn: #8a5300; --faint: #57606a; --line: #8885; --accent: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --panel: #1d2126; --text: #e6e9ec;
  --bad: #ff8a8a; --good: #7ddc9a; --warn: #f0b95e; --faint: #a3abb3; --accent: #7db7f5; } }
* { box-sizing: border-box; }
body { margin: 1.2rem auto; max-width: 78rem; padding: 0 1rem; background: var(--ground); color: var(--text); }
h1 { font-size: 1.25rem; margin: 0; }
h2 { font-size: 1rem; margin: 1rem 0 .3rem; }
header, footer, .tools { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: baseline; }
.tools { margin: 1rem 0 .3rem; align-items: center; }
#facts { margin: .2rem 0 0; }
#verdict { padding: 0 .6rem; border-radius: 1rem; border: 1px solid currentColor; }
#problems { margin: .8rem 0 0; padding: .5rem .5rem .5rem 1.6rem; background: var(--panel); border-left: 3px solid var(--bad); }
#problems:empty { display: none; }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.2rem; }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; font-size: .85rem; color: var(--faint); white-space: nowrap; overflow-wrap: normal; }
td small { display: block; color: var(--faint); }
td.short { white-space: nowrap; overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
#jobs-table > tbody > tr > td:first-child { min-width: 12rem; }
#jobs-table > tbody > tr > td:last-child { min-width: 17rem; }
button, input { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: .3rem; padding: .2rem .6rem; }
button { cursor: pointer; }
button.name { background: none; border: 0; padding: 0; color: var(--accent); font-weight: 600; text-align: left; overflow-wrap: anywhere; }
button.name::before { content: '\\25B8'; display: inline-block; width: 1.1em; }
button.name[aria-expanded=true]::before { content: '\\25BE'; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
progress { width: 8rem; max-width: 60%; accent-color: var(--accent); }
.bad, .bad small { color: var(--bad); }
.warn { color: var(--warn); }
.good { color: var(--good); }
.faint { color: var(--faint); }
.details { background: var(--panel); padding: .2rem 1rem 1rem; border-radius: .3rem; }
.chart { width: 100%; height: auto; display: block; }
.chart text { fill: var(--faint); font-size: 12px; }
.chart .axis { stroke: var(--line); }
.chart .percent { fill: none; stroke: var(--accent); stroke-width: 2; }
.chart .kept { fill: var(--good); opacity: .45; }
.chart .holds { fill: var(--good); opacity: .2; }
.chart .late { fill: var(--bad); }
.chart .report { fill: var(--good); }
.chart .now { stroke: var(--faint); stroke-dasharray: 3 3; }
.events { margin: .3rem 0 0; padding: 0; list-style: none; max-height: 22rem; overflow: auto; }
.events li { display: flex; gap: .8rem; }
.events time { white-space: nowrap; color: var(--faint); font-variant-numeric: tabular-nums; }
@media (max-width: 44rem) {
  #jobs-table thead { display: none; }
  #jobs-table > tbody > tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  #jobs-table > tbody > tr > td { display: block; padding: .05rem 0; border: 0; white-space: normal; }
  #jobs-table > tbody > tr > td:first-child, #jobs-table > tbody > tr > td:last-child { min-width: 0; }
  #jobs-table > tbody > tr > td:empty { display: none; }
  #budgets-table th, #budgets-table td { padding-right: .4rem; font-size: .75rem; white-space: normal; }
  button.name { padding: .4rem 0; }
  .details { padding: .2rem .6rem .6rem; }
  .events li { display: block; padding: .2rem 0; }
  .events time { display: block; }
}
@media (prefers-reduced-motion: no-preference) { progress::-webkit-progress-value { transition: width .4s; } }
`;
