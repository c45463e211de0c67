/**
 * The status page: one document that needs nothing but /status.json of its own origin. Everything that comes
 * from jobs is set as text, never as markup, and the policy lets run only the script and the style below.
 */
import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0; }
header, footer { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; align-items: baseline; }
table { border-collapse: collapse; width: 100%; margin: 1.2rem 0; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
th { font-weight: 600; font-size: .85rem; opacity: .7; }
td small { display: block; opacity: .7; overflow-wrap: anywhere; }
progress { width: 8rem; }
.bad { color: light-dark(#b00020, #ff8080); }
.good { color: light-dark(#0a6b2d, #7ddc9a); }
.faint { opacity: .7; }
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
const FAILED = ['failed', 'lost', 'fenced'];
function destination(cell, name, told, now) {
  if (!told) return;
  const late = told.slackSeconds !== undefined && told.slackSeconds < 0;
  const bad = late || told.delivery === 'refused';
  const parts = [name + ': ' + told.delivery];
  if (told.lastAcceptedAt) parts.push('said ' + since(told.lastAcceptedAt, now) + ' ago');
  if (told.slackSeconds !== undefined) parts.push((late ? 'late by ' : 'next within ') + span(told.slackSeconds));
  const line = element('div', parts.join(', '), bad ? 'bad' : '');
  if (told.reason) line.append(element('small', told.reason));
  cell.append(line);
}
function row(job, now) {
  const line = element('tr');
  line.append(element('td', job.run === undefined ? job.name : job.name + '/' + job.run));
  const className = FAILED.includes(job.state) || job.cancelIncomplete ? 'bad' : job.state === 'succeeded' ? 'good' : '';
  const state = element('td', job.state + (job.stalled ? ', stalled' : ''), className);
  if (job.reason) state.append(element('small', job.reason));
  line.append(state);
  const progress = element('td');
  if (job.percent !== undefined) {
    const bar = element('progress');
    bar.max = 100;
    bar.value = job.percent;
    progress.append(bar, ' ' + job.percent + '%');
  }
  if (job.detail) progress.append(element('small', job.detail));
  line.append(progress);
  const age = job.endedAt ? since(job.endedAt, now) + ' ago' : job.startedAt ? since(job.startedAt, now)
    : job.nextStartAt ? 'in ' + since(now, job.nextStartAt) : '';
  line.append(element('td', age));
  const told = element('td');
  destination(told, 'Migration Hub', job.destinations.migrationHub, now);
  destination(told, 'Data Pipeline', job.destinations.dataPipeline, now);
  line.append(told);
  return line;
}
function show(status) {
  const agent = status.agent;
  at('host').textContent = agent.host;
  at('state').textContent = agent.state;
  at('facts').textContent = 'version ' + agent.version + ', up ' + since(agent.startedAt, agent.now) + ', outbox ' + agent.outbox
    + (agent.nearestDeadlineSeconds === undefined ? '' : ', nearest deadline ' + (agent.nearestDeadlineSeconds < 0 ? 'missed by ' : 'in ') + span(agent.nearestDeadlineSeconds));
  at('troubles').replaceChildren(...agent.troubles.map((text) => element('li', text, 'bad')));
  at('jobs').replaceChildren(...status.jobs.map((job) => row(job, agent.now)));
  const used = status.budgets.filter((budget) => budget.accepted + budget.throttled + budget.failed > 0 || budget.pausedUntil);
  at('budgets').replaceChildren(...used.map((budget) => {
    const line = element('tr');
    for (const text of [budget.operation, budget.perSecond + '/s, burst ' + budget.burst, budget.accepted, budget.throttled, budget.failed])
      line.append(element('td', String(text)));
    line.append(element('td', budget.pausedUntil ? (budget.pausedBecause || 'paused') : '', 'bad'));
    return line;
  }));
  document.title = agent.host + ': ' + (agent.troubles.length === 0 ? 'well' : agent.troubles.length + ' troubles');
}
async function refresh() {
  try {
    const answer = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error('status ' + answer.status);
    show(await answer.json());
    at('link').textContent = '';
  } catch (error) {
    at('link').textContent = 'the agent does not answer; what you see is old';
  }
  setTimeout(refresh, REFRESH_MS);
}
refresh();
`;

export const STATUS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>migration-agent</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>migration-agent on <span id="host">this host</span></h1><span id="state"></span><span id="link" class="bad" role="status"></span></header>
<ul id="troubles"></ul>
<table><thead><tr><th>Run</th><th>State</th><th>Progress</th><th>Age</th><th>Told</th></tr></thead><tbody id="jobs"></tbody></table>
<table><thead><tr><th>Operation</th><th>Budget</th><th>Accepted</th><th>Throttled</th><th>Failed</th><th></th></tr></thead><tbody id="budgets"></tbody></table>
<footer class="faint"><span id="facts"></span><a href="status.json">status.json</a> <a href="metrics">metrics</a></footer>
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
