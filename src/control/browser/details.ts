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
  readonly #output = element('pre', undefined, 'output');
  #name: string | undefined;
  /** Of the run whose output is shown. */
  #run: number | undefined;
  #position: number | undefined;

  constructor() {
    this.#room.colSpan = 5;
    this.#output.tabIndex = 0;
    this.row.append(this.#room);
  }

  open(name: string | undefined): void {
    this.#name = name;
    this.#run = undefined;
    this.#position = undefined;
    this.#output.textContent = '';
    this.#output.setAttribute('aria-label', `output of ${name ?? ''}`);
    this.#summary.replaceChildren(element('p', 'loading …', 'faint'));
    const box = element('div', undefined, 'details');
    box.append(this.#summary, element('h2', 'Output (secrets masked)'), this.#output);
    this.#room.replaceChildren(box);
  }

  async refresh(): Promise<void> {
    const name = this.#name;
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
    try {
      await this.#follow(name);
    } catch {
      // What was shown before stays; the next refresh tries again.
    }
  }

  #show(shown: JobPageDocument): void {
    const before = this.#summary.querySelector('.events');
    const hadFocus = before !== null && before === document.activeElement;
    const scrolled = before?.scrollTop ?? 0;
    const list = timeline(shown);
    const none = element('p', 'Nothing was reported since this agent started.', 'faint');
    this.#summary.replaceChildren(
      element('h2', 'Reports and promises'),
      shown.reports.length === 0 ? none : chart(shown),
      element('h2', 'Timeline (UTC, newest first)'),
      list,
    );
    list.scrollTop = scrolled;
    if (hadFocus) list.focus();
  }

  /** Adds what was written since the last look; a new run begins anew. */
  async #follow(name: string): Promise<void> {
    const from =
      this.#position === undefined ? '' : `?from=${this.#position}&run=${this.#run ?? ''}`;
    const piece = await load<OutputDocument>(`jobs/${encodeURIComponent(name)}/output.json${from}`);
    if (name !== this.#name) return;
    if (piece.run !== this.#run) this.#output.textContent = '';
    this.#run = piece.run;
    this.#position = piece.next;
    if (piece.text === '') {
      if (this.#output.textContent === '') this.#output.textContent = piece.remark ?? '';
      return;
    }
    const { scrollHeight, scrollTop, clientHeight } = this.#output;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < 40;
    this.#output.textContent = (this.#output.textContent + piece.text).slice(-OUTPUT_MAX);
    // Whoever has scrolled back reads; the others follow.
    if (isAtEnd) this.#output.scrollTop = this.#output.scrollHeight;
  }
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
