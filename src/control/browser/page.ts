/** The status page: loads what it shows every two seconds while somebody looks, and changes what has changed. */
import type { AgentStatus, BudgetStatus } from '../../core/model/status.ts';
import type { OverviewDocument } from '../page/documents.ts';
import { Details } from './details.ts';
import { at, element, load, since, span } from './elements.ts';
import { JobsTable } from './jobs-table.ts';

const REFRESH_MS = 2000;
/** Conditions that somebody has to look at. */
const URGENT: ReadonlySet<string> = new Set(['lost', 'failed', 'fenced', 'stalled', 'refused']);

const filter = at('filter') as HTMLInputElement;
const sort = at('sort') as HTMLSelectElement;
const details = new Details();
const table = new JobsTable(toggle);
let open = location.hash.length > 1 ? decodeURIComponent(location.hash.slice(1)) : undefined;
let state = '';
let latest: OverviewDocument | undefined;

function query(): string {
  const wanted = new URLSearchParams({ q: filter.value.trim(), state, sort: sort.value });
  if (open !== undefined) wanted.set('open', open);
  if (latest !== undefined) wanted.set('since', latest.version);
  return wanted.toString();
}

async function refresh(): Promise<void> {
  isAsked = false;
  try {
    const next = await load<OverviewDocument>(`overview.json?${query()}`);
    latest = merged(latest, next);
    show(latest);
    at('link').textContent = '';
    await details.refresh();
  } catch {
    at('link').textContent = 'the agent does not answer; what you see is old';
    document.title = `no answer: ${at('host').textContent}`;
  }
}

/** What is not sent has not changed. */
function merged(earlier: OverviewDocument | undefined, next: OverviewDocument): OverviewDocument {
  const { jobs = [], order = earlier?.order ?? [], budgets = earlier?.budgets ?? [] } = next;
  const rows = new Map([...(earlier?.jobs ?? []), ...jobs].map((job) => [job.name, job]));
  const shown = order.map((name) => rows.get(name)).filter((job) => job !== undefined);
  return { ...next, order, jobs: shown, budgets };
}

function show({ agent, counts, matching, jobs = [], budgets = [] }: OverviewDocument): void {
  showAgent(agent);
  showCounts(counts);
  const empty =
    filter.value !== '' || state !== ''
      ? 'No job matches.'
      : 'No jobs yet. Name some in the configuration, or: migration-agent run -- COMMAND…';
  table.show(jobs, agent.now, open, details.row, empty);
  const left = matching - jobs.length;
  at('more').textContent =
    left > 0 ? `and ${left.toLocaleString('en')} more: filter by name or state` : '';
  const used = budgets.filter(
    ({ accepted, throttled, failed, pausedUntil }) =>
      accepted + throttled + failed > 0 || pausedUntil !== undefined,
  );
  at('budgets-table').hidden = used.length === 0;
  at('budgets').replaceChildren(...used.map((budget) => budgetRow(budget, agent.now)));
}

function showAgent(agent: AgentStatus): void {
  const count = agent.problems.length;
  const verdict =
    agent.health === 'healthy' ? 'healthy' : `degraded: ${count} problem${count === 1 ? '' : 's'}`;
  at('host').textContent = agent.host;
  at('verdict').textContent = verdict;
  at('verdict').className = agent.health === 'healthy' ? 'good' : 'bad';
  at('state').textContent = agent.state === 'running' ? '' : agent.state;
  at('facts').textContent = facts(agent).join(' · ');
  const problems = agent.problems.join('\n');
  if (at('problems').dataset['shown'] !== problems) {
    at('problems').dataset['shown'] = problems;
    at('problems').replaceChildren(...agent.problems.map((text) => element('li', text, 'bad')));
  }
  document.title = `${agent.host}: ${verdict}`;
}

function facts(agent: AgentStatus): string[] {
  const { nearestDeadlineSeconds: slackS, outboxAgeSeconds: ageS } = agent;
  const reports = agent.outbox === 1 ? '1 report' : `${agent.outbox} reports`;
  return [
    `version ${agent.version}`,
    `up ${since(agent.startedAt, agent.now)}`,
    `${reports} pending${ageS === undefined ? '' : ` for ${span(ageS)}`}`,
    slackS === undefined
      ? 'nothing promised'
      : `${slackS < 0 ? 'late by' : 'next deadline in'} ${span(slackS)}`,
    `clock offset ${agent.clockOffsetSeconds.toFixed(1)}s`,
    ...(agent.homeRegion === undefined ? [] : [`home region ${agent.homeRegion}`]),
  ];
}

/** A button for each state that some job is in; pressed, it shows only those. */
function showCounts(counts: OverviewDocument['counts']): void {
  const group = at('counts');
  const shown = counts.map(([name, count]) => `${name} ${count}`).join() + state;
  if (group.dataset['shown'] === shown) return;
  group.dataset['shown'] = shown;
  const focused = (document.activeElement as HTMLElement | null)?.dataset['state'];
  const buttons = counts.map(([name, count]) => {
    const text = `${count.toLocaleString('en')} ${name}`;
    const button = element('button', text, URGENT.has(name) ? 'bad' : '');
    button.type = 'button';
    button.dataset['state'] = name;
    button.setAttribute('aria-pressed', String(name === state));
    button.addEventListener('click', () => {
      state = name === state ? '' : name;
      ask();
    });
    return button;
  });
  group.replaceChildren(...buttons);
  if (focused !== undefined) buttons.find((one) => one.dataset['state'] === focused)?.focus();
}

function budgetRow(budget: BudgetStatus, now: string): HTMLTableRowElement {
  const { operation, available, burst, perSecond, pausedUntil, pausedBecause } = budget;
  const line = element('tr');
  const left = available === undefined ? '' : `${available} of `;
  const rate = `${left}${burst}, ${Number(perSecond.toPrecision(2))}/s`;
  line.append(element('td', operation), element('td', rate, 'short'));
  for (const count of [budget.accepted, budget.throttled, budget.failed]) {
    line.append(element('td', String(count), 'number'));
  }
  const because = pausedBecause === undefined ? '' : `: ${pausedBecause}`;
  const paused = pausedUntil === undefined ? '' : `paused for ${since(now, pausedUntil)}${because}`;
  line.append(element('td', paused, 'warn'));
  return line;
}

function toggle(name: string): void {
  open = open === name ? undefined : name;
  const address = open === undefined ? location.pathname : `#${encodeURIComponent(open)}`;
  history.replaceState(null, '', address);
  details.open(open);
  if (latest !== undefined) show(latest);
  ask();
}

/** Something else is wanted than what was last loaded. */
function ask(): void {
  isAsked = true;
  wake?.();
}

let isAsked = false;
let wake: (() => void) | undefined;

/** Ends after `REFRESH_MS`, when something else is wanted, or when somebody looks again. */
function pause(): Promise<void> {
  if (isAsked && !document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, REFRESH_MS);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

filter.addEventListener('input', ask);
sort.addEventListener('change', ask);
document.addEventListener('visibilitychange', ask);
document.addEventListener('keydown', (event) => {
  const isTyping = document.activeElement === filter;
  if (event.key === '/' && !isTyping) {
    event.preventDefault();
    filter.focus();
  }
  if (event.key === 'Escape' && isTyping) {
    filter.value = '';
    ask();
  }
});

details.open(open);
for (;;) {
  if (!document.hidden || latest === undefined) await refresh();
  await pause();
}
