/** What is below an open job: the chart of its reports, its timeline, and its output as it is written. */
import type { JobPageDocument, OutputDocument } from '../page/documents.ts';
import { chart } from './chart.ts';
import { clock, element, load } from './elements.ts';

/** Characters of output that stay on the page; the rest is in `migration-agent logs`. */
const OUTPUT_MAX = 64 * 1024;

export class Details {
  readonly row = element('tr');
  readonly #room = element('td');
  readonly #summary = element('div');
  #streams: readonly Stream[] = [];
  #name: string | undefined;

  constructor() {
    this.#room.colSpan = 5;
    this.row.append(this.#room);
  }

  open(name: string | undefined): void {
    this.#name = name;
    this.#streams = ['stderr', 'stdout'].map((stream) => new Stream(name ?? '', stream));
    this.#summary.replaceChildren(element('p', 'loading …', 'faint'));
    const box = element('div', undefined, 'details');
    box.append(this.#summary, ...this.#streams.flatMap(({ title, text }) => [title, text]));
    this.#room.replaceChildren(box);
  }

  async refresh(): Promise<void> {
    const name = this.#name;
    const streams = this.#streams;
    if (name === undefined) return;
    try {
      const shown = await load<JobPageDocument>(`jobs/${encodeURIComponent(name)}.json`);
      // Another job was opened meanwhile.
      if (name !== this.#name) return;
      this.#show(shown);
    } catch {
      if (name === this.#name) {
        this.#summary.replaceChildren(element('p', 'the agent does not answer', 'bad'));
      }
      return;
    }
    // What was shown before stays if one fails; the next refresh tries again.
    await Promise.allSettled(streams.map((stream) => stream.follow()));
  }

  #show(shown: JobPageDocument): void {
    const before = this.#summary.querySelector('.events');
    const hadFocus = before !== null && before === document.activeElement;
    const scrolled = before?.scrollTop ?? 0;
    const list = timeline(shown);
    const none = element('p', 'Nothing was reported since this agent started.', 'faint');
    this.#summary.replaceChildren(
      jobFacts(shown),
      element('h2', 'Reports and promises'),
      shown.reports.length === 0 ? none : chart(shown),
      element('h2', 'Timeline (UTC, newest first)'),
      list,
    );
    list.scrollTop = scrolled;
    if (hadFocus) list.focus();
  }
}

/** One stream of the output, followed while its job is open. */
class Stream {
  readonly title: HTMLElement;
  readonly text: HTMLPreElement;
  readonly #path: string;
  /** Of the run whose output is shown. */
  #run: number | undefined;
  #position: number | undefined;
  /** The text says why there is no output. */
  #isRemark = false;

  constructor(job: string, stream: string) {
    this.title = element('h2', `${stream} (secrets masked)`);
    this.#path = `jobs/${encodeURIComponent(job)}/output.json?stream=${stream}`;
    this.text = element('pre', undefined, `output ${stream}`);
    this.text.tabIndex = 0;
    this.text.setAttribute('aria-label', `${stream} of ${job}`);
  }

  /** Adds what was written since the last look; a new run begins anew. */
  async follow(): Promise<void> {
    const from =
      this.#position === undefined ? '' : `&from=${this.#position}&run=${this.#run ?? ''}`;
    const piece = await load<OutputDocument>(`${this.#path}${from}`);
    if (piece.run !== this.#run || (this.#isRemark && piece.text !== '')) {
      this.text.textContent = '';
      this.#isRemark = false;
    }
    this.#run = piece.run;
    this.#position = piece.next;
    if (piece.text === '') {
      if (this.text.textContent !== '' || piece.remark === undefined) return;
      this.text.textContent = piece.remark;
      this.#isRemark = true;
      return;
    }
    const { scrollHeight, scrollTop, clientHeight } = this.text;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 40;
    this.text.textContent = (this.text.textContent + piece.text).slice(-OUTPUT_MAX);
    // A reader who has scrolled back stays there; otherwise the newest line stays in view.
    if (isAtEnd) this.text.scrollTop = this.text.scrollHeight;
  }
}

/** What the job runs, as whom, where its output lies, when it starts next, what AWS lacks, how earlier runs ended. */
function jobFacts({ job }: JobPageDocument): HTMLDListElement {
  const list = element('dl', undefined, 'facts');
  const add = (name: string, text: string | undefined): void => {
    if (text !== undefined && text !== '') list.append(element('dt', name), element('dd', text));
  };
  add('command', job.command?.join(' '));
  add('directory', job.workingDirectory);
  add('user', job.user);
  add('schedule', job.schedule && [job.schedule.cron, job.schedule.timezone].join(' ').trim());
  add('next start', job.nextStartAt);
  add('logs', job.logs && `${job.logs.stdout} ${job.logs.stderr}`);
  add('pending', job.pending.map(({ operation, message }) => `${operation} ${message}`).join('; '));
  const runs = job.earlierRuns.map(
    ({ run, state, elapsedSeconds: s, reason }) =>
      `#${run} ${state}${s === undefined ? '' : ` in ${s} s`}${state === 'succeeded' || reason === undefined ? '' : ` (${reason})`}`,
  );
  add('earlier runs', runs.join('; '));
  return list;
}

function timeline({ job, events }: JobPageDocument): HTMLOListElement {
  const list = element('ol', undefined, 'events');
  list.tabIndex = 0;
  list.setAttribute('aria-label', `timeline of ${job.name}, newest first, times in UTC`);
  for (const event of events.toReversed()) {
    const item = element('li');
    const time = element('time', clock(event.at));
    time.dateTime = event.at;
    item.append(time, element('span', event.message));
    list.append(item);
  }
  return list;
}
