/** The table of jobs: each row is made once, and only what has changed in it is replaced, so that the focus stays. */
import type { JobStatus } from '../../core/model/status.ts';
import { at, element, remark, since, span } from './elements.ts';

const CLASS: Readonly<Record<string, string>> = {
  failed: 'bad',
  lost: 'bad',
  fenced: 'bad',
  canceled: 'warn',
  canceling: 'warn',
  succeeded: 'good',
  idle: 'faint',
  queued: 'faint',
};

interface Row {
  readonly line: HTMLTableRowElement;
  readonly button: HTMLButtonElement;
  shown: string;
}

export class JobsTable {
  readonly #rows = new Map<string, Row>();
  readonly #toggle: (name: string) => void;

  constructor(toggle: (name: string) => void) {
    this.#toggle = toggle;
  }

  /** Shows these jobs in this order, `details` below the one that is open. */
  show(
    jobs: readonly JobStatus[],
    now: string,
    open: string | undefined,
    details: HTMLTableRowElement,
    empty: string,
  ): void {
    const lines: HTMLElement[] = jobs.flatMap((job) => {
      const row = this.#rowOf(job.name);
      fill(row, job, now);
      row.button.setAttribute('aria-expanded', String(job.name === open));
      return job.name === open ? [row.line, details] : [row.line];
    });
    if (lines.length === 0) lines.push(remark(empty));
    const body = at('jobs');
    // A row that stays in place keeps the focus.
    lines.forEach((line, index) => {
      const there = body.children.item(index);
      if (there !== line) body.insertBefore(line, there);
    });
    while (body.children.length > lines.length) body.lastElementChild?.remove();
    const shown = new Set(jobs.map((job) => job.name));
    for (const name of this.#rows.keys()) if (!shown.has(name)) this.#rows.delete(name);
  }

  #rowOf(name: string): Row {
    let row = this.#rows.get(name);
    if (row === undefined) {
      const line = element('tr');
      const button = element('button', undefined, 'name');
      button.type = 'button';
      button.addEventListener('click', () => this.#toggle(name));
      const first = element('td');
      first.append(button);
      line.append(first);
      row = { line, button, shown: '' };
      this.#rows.set(name, row);
    }
    return row;
  }
}

function fill(row: Row, job: JobStatus, now: string): void {
  const cells = [stateCell(job), progressCell(job), ageCell(job, now), reportsCell(job, now)];
  const shown = cells.map((cell) => cell.outerHTML).join('') + String(job.run ?? '');
  if (shown === row.shown) return;
  row.shown = shown;
  row.button.textContent = job.run === undefined ? job.name : `${job.name}/${job.run}`;
  while (row.line.children.length > 1) row.line.lastElementChild?.remove();
  row.line.append(...cells);
}

function stateCell(job: JobStatus): HTMLTableCellElement {
  const isStalled = job.stalled === true && job.endedAt === undefined;
  const kind = job.cancelIncomplete === true ? 'bad' : isStalled ? 'warn' : CLASS[job.state];
  const cell = element('td', job.state + (isStalled ? ', stalled' : ''), kind);
  const reason = job.reason ?? job.problem;
  if (reason !== undefined) cell.append(element('small', reason));
  if (job.survivors !== undefined && job.survivors.length > 0) {
    cell.append(element('small', `still alive: ${job.survivors.join(', ')}`));
  }
  return cell;
}

function progressCell(job: JobStatus): HTMLTableCellElement {
  const cell = element('td');
  if (job.percent !== undefined) {
    const bar = element('progress');
    bar.max = 100;
    bar.value = job.percent;
    bar.setAttribute('aria-label', `progress of ${job.name}`);
    cell.append(bar, ` ${job.percent}%`);
  }
  if (job.detail !== undefined) cell.append(element('small', job.detail));
  if (job.etaSeconds !== undefined) {
    cell.append(element('small', `about ${span(job.etaSeconds)} left`));
  }
  return cell;
}

function ageCell(
  { endedAt, startedAt, nextStartAt }: JobStatus,
  now: string,
): HTMLTableCellElement {
  const text =
    endedAt !== undefined
      ? `${since(endedAt, now)} ago`
      : startedAt !== undefined
        ? `for ${since(startedAt, now)}`
        : nextStartAt !== undefined
          ? `in ${since(now, nextStartAt)}`
          : '';
  return element('td', text, 'short');
}

function reportsCell(job: JobStatus, now: string): HTMLTableCellElement {
  const cell = element('td');
  const { migrationHub, dataPipeline } = job.destinations;
  if (migrationHub) cell.append(...destination('Migration Hub', migrationHub, now, job.endedAt));
  if (dataPipeline) cell.append(...destination('Data Pipeline', dataPipeline, now, job.endedAt));
  return cell;
}

type Destination = NonNullable<JobStatus['destinations']['migrationHub' | 'dataPipeline']>;

function destination(
  name: string,
  { delivery, reason, lastAcceptedAt, deadlineAt }: Destination,
  now: string,
  ended: string | undefined,
): HTMLElement[] {
  const ago = lastAcceptedAt === undefined ? undefined : `${since(lastAcceptedAt, now)} ago`;
  const isPending = delivery === 'pending';
  const slackS =
    isPending && deadlineAt !== undefined
      ? (Date.parse(deadlineAt) - Date.parse(now)) / 1000
      : undefined;
  const isLate = slackS !== undefined && slackS < 0;
  const due = slackS === undefined ? '' : `, ${isLate ? 'late by' : 'next within'} ${span(slackS)}`;
  const text = isPending ? pendingText(ago, now, ended) : deliveryText(delivery, ago);
  const isBad = isLate || delivery === 'refused';
  const kind = isBad ? 'bad' : isPending && ended !== undefined ? 'warn' : '';
  const line = element('div', `${name}: ${text}${due}`, kind);
  if (reason !== undefined) line.append(element('small', reason));
  return [line];
}

function pendingText(ago: string | undefined, now: string, ended: string | undefined): string {
  if (ended !== undefined) return `final report pending for ${since(ended, now)}`;
  return ago === undefined ? 'nothing reported yet' : `reported ${ago}`;
}

function deliveryText(delivery: string, ago: string | undefined): string {
  return delivery === 'delivered' && ago !== undefined ? `delivered ${ago}` : delivery;
}
