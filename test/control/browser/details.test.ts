/** What an open job shows: its facts, its timeline, and its output as it grows. The agent's documents come from a server. */
import { beforeEach, expect, test } from 'vitest';
import type { JobPageDocument, OutputDocument } from '../../../src/control/page/documents.ts';
import { jobNamed } from '../operator-in-memory.ts';
import { browserScript, useSmallDocument } from './small-document.ts';
import type { SmallDocument, SmallElement } from './small-document.ts';

interface JobDetails {
  readonly row: SmallElement;
  open(name: string | undefined): void;
  refresh(): Promise<void>;
}
const { Details } = await browserScript<{ Details: new () => JobDetails }>('details.ts');

/** What the agent answers: a document by the beginning of its path, or a status that is no success. */
let answers: Record<string, unknown>;
let asked: string[];
let details: JobDetails;
let page: SmallDocument;
/** Runs while a document is on its way. */
let meanwhile: () => void;

beforeEach(() => {
  page = useSmallDocument();
  details = new Details();
  answers = { 'jobs/copy.json': shown({}), 'jobs/copy/output.json': output('') };
  asked = [];
  meanwhile = () => undefined;
  const answer = (path: string): Promise<Response> => {
    asked.push(path);
    meanwhile();
    const found = Object.entries(answers).find(([name]) => path.split('?')[0] === name);
    const body = found?.[1];
    if (body === undefined) return Promise.resolve(new Response('', { status: 404 }));
    return Promise.resolve(Response.json(body));
  };
  Object.assign(globalThis, { fetch: answer });
});

function shown(
  job: Partial<JobPageDocument['job']>,
  events: JobPageDocument['events'] = [],
): JobPageDocument {
  const whole = { ...jobNamed('copy'), earlierRuns: [], pending: [], ...job };
  return { schema: 1, now: '2020-02-29T03:00:10.000Z', job: whole, events, reports: [] };
}

function output(text: string, next = text.length, run = 1, remark?: string): OutputDocument {
  return { schema: 1, run, text, next, ...(remark === undefined ? {} : { remark }) };
}

const text = (selector: string): string | undefined =>
  details.row.querySelector(selector)?.textContent;
const facts = (): string[] =>
  details.row.querySelectorAll('dt').map((name, index) => {
    const value = details.row.querySelectorAll('dd')[index]?.textContent ?? '';
    return `${name.textContent}: ${value}`;
  });

test('an open job is loading until the agent answers; none is asked for while no job is open', async () => {
  details.open(undefined);
  await details.refresh();
  expect(asked).toEqual([]);
  details.open('copy');
  expect(details.row.textContent).toContain('loading …');
  expect(details.row.elements()[0]).toMatchObject({ tagName: 'td', colSpan: 5 });
  await details.refresh();
  expect(details.row.textContent).not.toContain('loading');
  expect(details.row.textContent).toContain('Nothing was reported since this agent started.');
});

test('facts: what a job has, and nothing of what it lacks', async () => {
  details.open('copy');
  await details.refresh();
  expect(facts()).toEqual([]);
  answers['jobs/copy.json'] = shown({
    command: ['rsync', '-a', '/srv/a/'],
    workingDirectory: '/srv',
    user: 'migrator',
    schedule: { cron: '0 2 * * *', timezone: 'Europe/Berlin' },
    nextStartAt: '2020-03-01T01:00:00.000Z',
    logs: { stdout: '/l/out', stderr: '/l/err' },
    pending: [
      {
        ...{ job: 'copy', run: 1, destination: 'migrationHub', task: 't', attempts: 1 },
        ...{ operation: 'NotifyMigrationTaskState', message: 'FAILED', quarantined: false },
      },
      {
        ...{ job: 'copy', run: 1, destination: 'dataPipeline', task: 't', attempts: 1 },
        ...{ operation: 'SetTaskStatus', message: 'FAILED', quarantined: false },
      },
    ],
    earlierRuns: [
      { run: 3, state: 'failed', elapsedSeconds: 252, reason: 'exit code 23' },
      { run: 2, state: 'succeeded', elapsedSeconds: 9, reason: 'completed' },
      { run: 1, state: 'lost' },
    ],
  });
  await details.refresh();
  expect(facts()).toEqual([
    'command: rsync -a /srv/a/',
    'directory: /srv',
    'user: migrator',
    'schedule: 0 2 * * * Europe/Berlin',
    'next start: 2020-03-01T01:00:00.000Z',
    'logs: /l/out /l/err',
    'pending: NotifyMigrationTaskState FAILED; SetTaskStatus FAILED',
    'earlier runs: #3 failed in 252 s (exit code 23); #2 succeeded in 9 s; #1 lost',
  ]);
  answers['jobs/copy.json'] = shown({ schedule: { cron: '0 2 * * *' } });
  await details.refresh();
  expect(facts()).toEqual(['schedule: 0 2 * * *']);
});

test('a job that has reported has a chart in place of the remark', async () => {
  const at = '2020-02-29T03:00:00.000Z';
  answers['jobs/copy.json'] = {
    ...shown({ startedAt: at }),
    reports: [{ at, to: 'migrationHub', percent: 4 }],
  };
  details.open('copy');
  await details.refresh();
  expect(details.row.querySelector('svg')).not.toBeNull();
  expect(details.row.textContent).not.toContain('Nothing was reported');
});

test('timeline: newest first, as text, and where it was scrolled to stays, with the focus', async () => {
  const events = [
    { at: '2020-02-29T03:00:00.000Z', event: 'job.started', message: 'started <b>' },
    { at: '2020-02-29T03:00:05.000Z', event: 'job.exited', message: 'exited' },
  ];
  answers['jobs/copy.json'] = shown({}, events);
  details.open('copy');
  await details.refresh();
  const list = details.row.querySelector('ol.events');
  expect(list?.elements().map((item) => item.textContent)).toEqual([
    '2020-02-29 03:00:05exited',
    '2020-02-29 03:00:00started <b>',
  ]);
  expect(list?.querySelector('time')).toMatchObject({ dateTime: '2020-02-29T03:00:05.000Z' });
  expect(list?.getAttribute('aria-label')).toContain('timeline of copy');
  list!.scrollTop = 30;
  list!.focus();
  await details.refresh();
  const next = details.row.querySelector('ol.events');
  expect(next).not.toBe(list);
  expect(next?.scrollTop).toBe(30);
  expect(page.activeElement).toBe(next);
  // A focus that is elsewhere stays there.
  const elsewhere = page.id('filter');
  elsewhere.focus();
  await details.refresh();
  expect(page.activeElement).toBe(elsewhere);
});

test('output: what was written since is added, from where the last piece ended', async () => {
  details.open('copy');
  answers['jobs/copy/output.json'] = output('one\n');
  await details.refresh();
  expect([text('.stdout'), text('.stderr')]).toEqual(['one\n', 'one\n']);
  expect(asked.slice(1)).toEqual([
    'jobs/copy/output.json?stream=stderr',
    'jobs/copy/output.json?stream=stdout',
  ]);
  answers['jobs/copy/output.json'] = output('two\n', 8);
  await details.refresh();
  expect(text('.stdout')).toBe('one\ntwo\n');
  expect(asked.at(-1)).toBe('jobs/copy/output.json?stream=stdout&from=4&run=1');
  answers['jobs/copy/output.json'] = output('', 8);
  await details.refresh();
  expect(text('.stdout')).toBe('one\ntwo\n');
  expect(asked.at(-1)).toBe('jobs/copy/output.json?stream=stdout&from=8&run=1');
});

test('output: a new run begins anew', async () => {
  details.open('copy');
  answers['jobs/copy/output.json'] = output('of the first\n');
  await details.refresh();
  answers['jobs/copy/output.json'] = output('of the second\n', 14, 2);
  await details.refresh();
  expect(text('.stdout')).toBe('of the second\n');
  answers['jobs/copy/output.json'] = output('', 0, 3, 'Nothing was written to stdout.');
  await details.refresh();
  expect(text('.stdout')).toBe('Nothing was written to stdout.');
});

test('output: a remark gives way to the first output', async () => {
  details.open('copy');
  answers['jobs/copy/output.json'] = output('', 0, 1, 'Nothing was written to stdout.');
  await details.refresh();
  expect(text('.stdout')).toBe('Nothing was written to stdout.');
  await details.refresh();
  expect(text('.stdout')).toBe('Nothing was written to stdout.');
  answers['jobs/copy/output.json'] = output('one\n');
  await details.refresh();
  answers['jobs/copy/output.json'] = output('two\n', 8);
  await details.refresh();
  expect(text('.stdout')).toBe('one\ntwo\n');
});

test('output: the page keeps the last 64 KiB', async () => {
  details.open('copy');
  answers['jobs/copy/output.json'] = output('a'.repeat(65_000));
  await details.refresh();
  answers['jobs/copy/output.json'] = output('b'.repeat(1_000), 66_000);
  await details.refresh();
  expect(text('.stdout')).toBe('a'.repeat(64_536) + 'b'.repeat(1_000));
});

test('output: who has scrolled back stays there, who is at the end follows', async () => {
  details.open('copy');
  answers['jobs/copy/output.json'] = output('one\n');
  await details.refresh();
  const box = details.row.querySelector('.stdout')!;
  Object.assign(box, { scrollHeight: 1_000, clientHeight: 200, scrollTop: 760 });
  await details.refresh();
  // Forty pixels from the end: he reads.
  expect(box.scrollTop).toBe(760);
  box.scrollTop = 761;
  await details.refresh();
  expect(box.scrollTop).toBe(1_000);
});

test('an agent that does not answer is shown as such, and comes back', async () => {
  details.open('copy');
  answers = {};
  await details.refresh();
  expect(details.row.querySelector('.bad')?.textContent).toBe('the agent does not answer');
  // Its output is not asked for.
  expect(asked).toEqual(['jobs/copy.json']);
  answers = { 'jobs/copy.json': shown({ user: 'anna' }) };
  await details.refresh();
  expect(details.row.querySelector('.bad')).toBeNull();
  expect(facts()).toEqual(['user: anna']);
  // One stream that fails leaves what was shown.
  answers['jobs/copy/output.json'] = output('one\n');
  await details.refresh();
  delete answers['jobs/copy/output.json'];
  await details.refresh();
  expect(text('.stdout')).toBe('one\n');
});

test('an answer about a job that is no longer open is left out, also if it fails', async () => {
  answers['jobs/other job.json'] = shown({ user: 'other' });
  answers['jobs/other%20job.json'] = shown({ user: 'other' });
  details.open('copy');
  meanwhile = () => details.open('other job');
  answers['jobs/copy.json'] = shown({ user: 'anna' });
  await details.refresh();
  expect(details.row.textContent).toContain('loading …');
  expect(asked).toEqual(['jobs/copy.json']);
  details.open('copy');
  delete answers['jobs/copy.json'];
  await details.refresh();
  expect(details.row.textContent).toContain('loading …');
  meanwhile = () => undefined;
  await details.refresh();
  expect(facts()).toEqual(['user: other']);
});
