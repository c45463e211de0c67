/**
 * What the status page does: asks /status.json again and again and changes what has changed, so that the focus and what
 * is open stay where they are. Everything that comes from jobs is set as text, never as markup.
 */
export const PAGE_SCRIPT = `
const REFRESH_MS = 2000;
/** More rows than that are no overview: the filter finds the others. */
const ROWS_MAX = 200;
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
function since(from, to) { return span(Math.max(0, Date.parse(to) - Date.parse(from)) / 1000); }
function clock(iso) { return iso.slice(0, 10) === new Date().toISOString().slice(0, 10) ? iso.slice(11, 19) : iso.slice(0, 10) + ' ' + iso.slice(11, 19); }
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
function cellsOf(job, now) {
  const state = element('td', job.state + (job.stalled ? ', stalled' : ''), job.cancelIncomplete ? 'bad' : job.stalled ? 'warn' : CLASS[job.state]);
  if (job.reason) state.append(element('small', job.reason));
  if (job.survivors && job.survivors.length > 0) state.append(element('small', 'still alive: ' + job.survivors.join(', ')));
  const progress = element('td');
  if (job.percent !== undefined) {
    const bar = element('progress');
    bar.max = 100;
    bar.value = job.percent;
    bar.setAttribute('aria-label', 'progress of ' + job.name);
    progress.append(bar, ' ' + job.percent + '%');
  }
  if (job.detail) progress.append(element('small', job.detail));
  const age = job.endedAt ? since(job.endedAt, now) + ' ago' : job.startedAt ? 'for ' + since(job.startedAt, now)
    : job.nextStartAt ? 'in ' + since(now, job.nextStartAt) : '';
  const told = element('td');
  destination(told, 'Migration Hub', job.destinations.migrationHub, now, job.endedAt);
  destination(told, 'Data Pipeline', job.destinations.dataPipeline, now, job.endedAt);
  return [state, progress, element('td', age || undefined, 'short'), told];
}
/** The rows by job: each is made once, and its cells are changed. */
const rows = new Map();
let open;
function rowOf(job) {
  let row = rows.get(job.name);
  if (row === undefined) {
    const line = element('tr');
    const button = element('button', undefined, 'name');
    button.type = 'button';
    button.addEventListener('click', () => toggle(job.name));
    const first = element('td');
    first.append(button);
    line.append(first);
    row = { line, button, shown: '' };
    rows.set(job.name, row);
  }
  return row;
}
function fill(row, job, now) {
  const cells = cellsOf(job, now);
  const shown = cells.map((cell) => cell.outerHTML).join('') + (job.run || '');
  if (shown === row.shown) return;
  row.shown = shown;
  row.button.textContent = job.run === undefined ? job.name : job.name + '/' + job.run;
  while (row.line.children.length > 1) row.line.lastChild.remove();
  row.line.append(...cells);
}
/** What runs first, then what went wrong, then what has ended, then what waits. */
function concern(job) {
  if (job.state === 'idle') return 3;
  if (job.state === 'succeeded') return 2;
  return job.endedAt ? 1 : 0;
}
function showJobs(status) {
  const wanted = at('filter').value.trim().toLowerCase();
  const matching = status.jobs.filter((job) => !wanted || job.name.toLowerCase().includes(wanted) || job.state.includes(wanted));
  const many = matching.length > ROWS_MAX;
  const shown = many ? matching.toSorted((a, b) => concern(a) - concern(b)).slice(0, ROWS_MAX) : matching;
  const lines = shown.flatMap((job) => {
    const row = rowOf(job);
    fill(row, job, status.agent.now);
    row.button.setAttribute('aria-expanded', String(job.name === open));
    return job.name === open ? [row.line, details] : [row.line];
  });
  const body = at('jobs');
  if (lines.length === 0) lines.push(nothing(wanted ? 'No job matches.' : 'No jobs yet. Name some in the configuration, or: migration-agent run --name NAME -- COMMAND…'));
  // Nodes that stay keep the focus: only what is out of place is moved.
  lines.forEach((line, index) => { if (body.children[index] !== line) body.insertBefore(line, body.children[index] || null); });
  while (body.children.length > lines.length) body.lastChild.remove();
  at('more').textContent = many ? 'and ' + (matching.length - ROWS_MAX).toLocaleString('en') + ' more: filter by name or state' : '';
  const known = new Set(status.jobs.map((job) => job.name));
  for (const name of rows.keys()) if (!known.has(name)) rows.delete(name);
}
const details = element('tr');
const room = element('td');
room.colSpan = 5;
details.append(room);
function toggle(name) {
  open = open === name ? undefined : name;
  history.replaceState(null, '', open === undefined ? location.pathname : '#' + encodeURIComponent(open));
  room.replaceChildren(element('p', 'asking …', 'faint'));
  if (latest) showJobs(latest);
  if (open !== undefined) refreshDetails();
}
async function refreshDetails() {
  const name = open;
  if (name === undefined) return;
  try {
    const answer = await fetch('jobs/' + encodeURIComponent(name) + '.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error('status ' + answer.status);
    const document_ = await answer.json();
    if (name !== open) return;
    const box = element('div', undefined, 'details');
    box.append(element('h2', 'Reports and promises'));
    box.append(document_.reports.length === 0 ? element('p', 'Nothing was told since this agent started.', 'faint') : chart(document_));
    const list = element('ol', undefined, 'events');
    list.tabIndex = 0;
    list.setAttribute('aria-label', 'timeline of ' + name + ', newest first, times in UTC');
    for (const event of document_.events.toReversed()) {
      const item = element('li');
      const time = element('time', clock(event.at));
      time.dateTime = event.at;
      item.append(time, element('span', event.message));
      list.append(item);
    }
    box.append(element('h2', 'Timeline (UTC, newest first)'), list);
    const before = room.querySelector('.events');
    const focused = before !== null && before === document.activeElement;
    const scrolled = before === null ? 0 : before.scrollTop;
    room.replaceChildren(box);
    list.scrollTop = scrolled;
    if (focused) list.focus();
  } catch {
    room.replaceChildren(element('p', 'the agent did not tell', 'bad'));
  }
}
function budgetRow(budget, now) {
  const line = element('tr');
  const left = budget.available === undefined ? '' : budget.available + ' of ';
  line.append(element('td', budget.operation), element('td', left + budget.burst + ', ' + Number(budget.perSecond.toPrecision(2)) + '/s', 'short'));
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
function showAgent(agent) {
  const slack = agent.nearestDeadlineSeconds;
  const count = agent.problems.length;
  const verdict = count > 0 ? (count === 1 ? '1 problem' : count + ' problems') : slack < 0 ? 'late by ' + span(slack) : 'well';
  at('host').textContent = agent.host;
  at('verdict').textContent = verdict;
  at('verdict').className = verdict === 'well' ? 'good' : 'bad';
  at('state').textContent = agent.state === 'running' ? '' : agent.state;
  at('facts').textContent = ['version ' + agent.version, 'up ' + since(agent.startedAt, agent.now),
    (agent.outbox === 1 ? '1 report owed' : agent.outbox + ' reports owed') + (agent.outboxAgeSeconds ? ' for ' + span(agent.outboxAgeSeconds) : ''),
    slack === undefined ? 'nothing promised' : slack < 0 ? 'late by ' + span(slack) : 'next deadline in ' + span(slack),
    'clock offset ' + agent.clockOffsetSeconds.toFixed(1) + 's'].concat(agent.homeRegion ? ['home region ' + agent.homeRegion] : []).join(' · ');
  const problems = agent.problems.join('\\n');
  if (at('problems').dataset.shown !== problems) {
    at('problems').dataset.shown = problems;
    at('problems').replaceChildren(...agent.problems.map((text) => element('li', text, 'bad')));
  }
  document.title = agent.host + ': ' + verdict;
}
let latest;
function show(status) {
  latest = status;
  showAgent(status.agent);
  showJobs(status);
  const used = status.budgets.filter((budget) => budget.accepted + budget.throttled + budget.failed > 0 || budget.pausedUntil);
  at('budgets-table').hidden = used.length === 0;
  at('budgets').replaceChildren(...used.map((budget) => budgetRow(budget, status.agent.now)));
}
async function refresh() {
  if (!document.hidden || latest === undefined) {
    try {
      const answer = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error('status ' + answer.status);
      show(await answer.json());
      at('link').textContent = '';
      await refreshDetails();
    } catch {
      at('link').textContent = 'the agent does not answer; what you see is old';
      document.title = 'no answer: ' + at('host').textContent;
    }
  }
  setTimeout(refresh, REFRESH_MS);
}
at('filter').addEventListener('input', () => { if (latest) showJobs(latest); });
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && document.activeElement !== at('filter')) { event.preventDefault(); at('filter').focus(); }
  if (event.key === 'Escape' && document.activeElement === at('filter')) { at('filter').value = ''; if (latest) showJobs(latest); }
});
open = location.hash.length > 1 ? decodeURIComponent(location.hash.slice(1)) : undefined;
refresh();
`;
