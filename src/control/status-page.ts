/**
 * The status page: one document that needs nothing but /status.json of its own origin. Everything that comes
 * from jobs is set as text, never as markup, and the policy lets run only the script and the style below.
 */
import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
  --bad: #b00020; --good: #0a6b2d; --warn: #8a5300; --faint: #5c5c5c; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a8a; --good: #7ddc9a; --warn: #f0b95e; --faint: #a8a8a8; } }
body { margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; }
header, footer { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; align-items: baseline; }
#facts { margin: .2rem 0 0; }
#troubles { margin: .8rem 0 0; padding-left: 1.2rem; }
#troubles:empty { display: none; }
table { border-collapse: collapse; width: 100%; margin: 1.2rem 0; }
th, td { text-align: left; padding: .35rem 1.2rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; font-size: .85rem; color: var(--faint); white-space: nowrap; }
td small { display: block; color: var(--faint); }
#jobs-table td:first-child { min-width: 9rem; }
#jobs-table td:last-child { min-width: 17rem; }
td.short { white-space: nowrap; overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
progress { width: 8rem; max-width: 100%; }
.bad, .bad small { color: var(--bad); }
.warn { color: var(--warn); }
.good { color: var(--good); }
.faint { color: var(--faint); }
@media (max-width: 44rem) {
  #jobs-table thead { display: none; }
  #jobs-table tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  #jobs-table td { display: block; padding: .05rem 0; border: 0; white-space: normal; }
  #jobs-table td:first-child { font-weight: 600; }
  #jobs-table td:first-child, #jobs-table td:last-child { min-width: 0; }
  #jobs-table td:empty { display: none; }
  #budgets-table th, #budgets-table td { padding-right: .6rem; font-size: .85rem; white-space: normal; }
}
`;

const SCRIPT = `
const REFRESH_MS = 2000;
const at = (id) => document.getElementById(id);
function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}
function span(seconds) {
  const s = Math.round(Math.abs(seconds));
  if (s < 60) return s + 's';
  if (s < 3600) return Math.floor(s / 60) + 'm' + String(s % 60).padStart(2, '0') + 's';
  if (s < 86400) return Math.floor(s / 3600) + 'h' + String(Math.floor(s / 60) % 60).padStart(2, '0') + 'm';
  return Math.floor(s / 86400) + 'd' + (Math.floor(s / 3600) % 24) + 'h';
}
function since(from, to) { return span((Date.parse(to) - Date.parse(from)) / 1000); }
const CLASS = { failed: 'bad', lost: 'bad', fenced: 'bad', canceled: 'warn', canceling: 'warn', succeeded: 'good', idle: 'faint', queued: 'faint' };
function destination(cell, name, told, now, ended) {
  if (!told) return;
  const late = told.slackSeconds !== undefined && told.slackSeconds < 0;
  const ago = told.lastAcceptedAt ? since(told.lastAcceptedAt, now) + ' ago' : '';
  const parts = [];
  if (told.delivery !== 'pending') parts.push(told.delivery === 'delivered' && ago ? 'delivered ' + ago : told.delivery);
  else if (ended) parts.push('last word owed for ' + since(ended, now));
  else parts.push(ago ? 'said ' + ago : 'nothing said yet');
  if (told.delivery === 'pending' && told.slackSeconds !== undefined) parts.push((late ? 'late by ' : 'next within ') + span(told.slackSeconds));
  const line = element('div', name + ': ' + parts.join(', '), late || told.delivery === 'refused' ? 'bad' : told.delivery === 'pending' && ended ? 'warn' : '');
  if (told.reason) line.append(element('small', told.reason));
  cell.append(line);
}
function row(job, now) {
  const line = element('tr');
  line.append(element('td', job.run === undefined ? job.name : job.name + '/' + job.run));
  const state = element('td', job.state + (job.stalled ? ', stalled' : ''), job.cancelIncomplete ? 'bad' : job.stalled ? 'warn' : CLASS[job.state]);
  if (job.reason) state.append(element('small', job.reason));
  if (job.survivors && job.survivors.length > 0) state.append(element('small', 'still alive: ' + job.survivors.join(', ')));
  line.append(state);
  const progress = element('td');
  if (job.percent !== undefined) {
    const bar = element('progress');
    bar.max = 100;
    bar.value = job.percent;
    bar.setAttribute('aria-label', 'progress of ' + job.name);
    progress.append(bar, ' ' + job.percent + '%');
  }
  if (job.detail) progress.append(element('small', job.detail));
  line.append(progress);
  const age = job.endedAt ? since(job.endedAt, now) + ' ago' : job.startedAt ? 'for ' + since(job.startedAt, now)
    : job.nextStartAt ? 'in ' + since(now, job.nextStartAt) : '';
  line.append(element('td', age || undefined, 'short'));
  const told = element('td');
  destination(told, 'Migration Hub', job.destinations.migrationHub, now, job.endedAt);
  destination(told, 'Data Pipeline', job.destinations.dataPipeline, now, job.endedAt);
  line.append(told);
  return line;
}
function budgetRow(budget, now) {
  const line = element('tr');
  line.append(element('td', budget.operation), element('td', budget.perSecond + '/s, burst ' + budget.burst, 'short'));
  for (const count of [budget.accepted, budget.throttled, budget.failed]) line.append(element('td', String(count), 'number'));
  line.append(element('td', budget.pausedUntil ? 'paused for ' + since(now, budget.pausedUntil) + (budget.pausedBecause ? ': ' + budget.pausedBecause : '') : undefined, 'warn'));
  return line;
}
function nothing(words) {
  const line = element('tr');
  const cell = element('td', words, 'faint');
  cell.colSpan = 5;
  line.append(cell);
  return line;
}
function show(status) {
  const agent = status.agent;
  const slack = agent.nearestDeadlineSeconds;
  const count = agent.troubles.length;
  const verdict = count === 0 ? 'well' : count === 1 ? '1 trouble' : count + ' troubles';
  at('host').textContent = agent.host;
  at('verdict').textContent = verdict;
  at('verdict').className = count === 0 ? 'good' : 'bad';
  at('state').textContent = agent.state === 'running' ? '' : agent.state;
  at('facts').textContent = ['version ' + agent.version, 'up ' + since(agent.startedAt, agent.now),
    agent.outbox === 1 ? '1 report owed' : agent.outbox + ' reports owed',
    slack === undefined ? 'nothing promised' : slack < 0 ? 'late by ' + span(slack) : 'next deadline in ' + span(slack),
    'clock offset ' + agent.clockOffsetSeconds.toFixed(1) + 's'].concat(agent.homeRegion ? ['home region ' + agent.homeRegion] : []).join(' · ');
  at('troubles').replaceChildren(...agent.troubles.map((text) => element('li', text, 'bad')));
  at('jobs').replaceChildren(...(status.jobs.length === 0 ? [nothing('No jobs yet. Name some in the configuration, or: migration-agent run --name NAME -- COMMAND…')] : status.jobs.map((job) => row(job, agent.now))));
  const used = status.budgets.filter((budget) => budget.accepted + budget.throttled + budget.failed > 0 || budget.pausedUntil);
  at('budgets-table').hidden = used.length === 0;
  at('budgets').replaceChildren(...used.map((budget) => budgetRow(budget, agent.now)));
  document.title = agent.host + ': ' + verdict;
}
async function refresh() {
  try {
    const answer = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error('status ' + answer.status);
    show(await answer.json());
    at('link').textContent = '';
  } catch (error) {
    at('link').textContent = 'the agent does not answer; what you see is old';
    document.title = 'no answer: ' + at('host').textContent;
  }
  setTimeout(refresh, REFRESH_MS);
}
refresh();
`;

export const STATUS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>migration-agent</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>migration-agent on <span id="host">this host</span></h1><strong id="verdict"></strong><span id="state" class="warn"></span><span id="link" class="bad" role="status"></span></header>
<p id="facts" class="faint"></p>
<ul id="troubles"></ul>
<table id="jobs-table"><thead><tr><th>Run</th><th>State</th><th>Progress</th><th>Age</th><th>Told</th></tr></thead><tbody id="jobs"></tbody></table>
<table id="budgets-table" hidden><thead><tr><th>Operation</th><th>Budget</th><th class="number">Accepted</th><th class="number">Throttled</th><th class="number">Failed</th><th></th></tr></thead><tbody id="budgets"></tbody></table>
<footer class="faint"><a href="status.json">status.json</a> <a href="metrics">metrics</a></footer>
<noscript>This page needs its script to refresh; <a href="status.json">status.json</a> holds the same facts.</noscript>
<script>${SCRIPT}</script>
</body>
</html>
`;

export const STATUS_PAGE_POLICY = [
  "default-src 'none'",
  `style-src '${hash(STYLE)}'`,
  `script-src '${hash(SCRIPT)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
