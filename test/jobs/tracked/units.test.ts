/** Units that are watched: what each answer of systemd and of the journal means for a run. Both are made up here. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { Run, TrackedSource } from '../../../src/core/model/job.ts';
import type { JournalAnswer, JournalRecord } from '../../../src/jobs/tracked/journalctl.ts';
import type { UnitProperties } from '../../../src/jobs/tracked/systemctl.ts';
import { UnitWatch } from '../../../src/jobs/tracked/units.ts';
import { definition } from '../../support/settings.ts';
import { until } from '../../support/until.ts';

interface Systemd {
  shown: Record<string, UnitProperties>;
  asked: string[][];
  journal: () => Promise<JournalAnswer>;
  journalAsked: string[][];
  failure: string;
}
const host = vi.hoisted((): Systemd => ({
  ...{ shown: {}, asked: [], journalAsked: [], failure: '' },
  journal: () => Promise.resolve({ records: [], error: '' }),
}));
vi.mock(import('../../../src/jobs/tracked/systemctl.ts'), async (original) => ({
  ...(await original()),
  showUnits: (units) => {
    host.asked.push([...units]);
    if (host.failure !== '') return Promise.reject(new Error(host.failure));
    return Promise.resolve(units.map((unit) => host.shown[unit] ?? {}));
  },
}));
vi.mock(import('../../../src/jobs/tracked/journalctl.ts'), () => ({
  readJournal: (invocations) => {
    host.journalAsked.push([...invocations]);
    return host.journal();
  },
}));

const GRACE_MS = 10_000;
const SUCCESS = '7ad2d189f7e94e70a38c781354912448';
let events: Event[];
let watch: UnitWatch;
let laterMs: number;

beforeEach(() => {
  Object.assign(host, { shown: {}, asked: [], journalAsked: [], failure: '' });
  host.journal = () => Promise.resolve({ records: [], error: '' });
  events = [];
  laterMs = 0;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + laterMs);
  onTestFinished(() => clock.mockRestore());
  watch = new UnitWatch({
    post: (event) => events.push(event),
    mask: (text) => text.replaceAll('hunter2', '***'),
    ...{ graceMs: GRACE_MS, checkEveryMs: 1 },
  });
});
afterEach(() => watch.close());

function runOf(
  name: string,
  source: Partial<Extract<TrackedSource, { by: 'unit' }>> = {},
  over: Partial<Run> = {},
): Run {
  const tracked: TrackedSource = { by: 'unit', unit: `${name}.service`, ...source };
  return {
    ...{ id: `${name}/1`, job: name, number: 1, origin: 'tracked', state: 'starting', spawn: 1 },
    definition: definition(name, { command: [], tracked }),
    requestedAt: { wallMs: 0, bootMs: 0 },
    ...over,
  };
}

const running = (InvocationID: string, StatusText = ''): UnitProperties => ({
  ...{ InvocationID, StatusText, ActiveState: 'active', SubState: 'running' },
});
const exited = (InvocationID: string, status: number): UnitProperties => ({
  ...{ InvocationID, ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' },
  ...{ ExecMainStartTimestampMonotonic: '5', InactiveExitTimestampMonotonic: '5' },
  ...{ ExecMainCode: '1', ExecMainStatus: String(status) },
});

async function rounds(count = 2): Promise<void> {
  const before = host.asked.length;
  await until('systemd was asked', () => host.asked.length >= before + count);
}

const of = (run: string): object[] => events.filter((event) => 'run' in event && event.run === run);

test('a unit that waits, runs, says what it does, and ends', async () => {
  watch.add(runOf('copy'));
  await rounds();
  expect(events).toEqual([]);
  host.shown['copy.service'] = running('i1', 'step hunter2\n of 3');
  await until('it is seen', () => events.length >= 2);
  await rounds();
  host.shown['copy.service'] = running('i1');
  await rounds();
  host.shown['copy.service'] = running('i1', 'step 2');
  await until('it says more', () => events.length >= 3);
  host.shown['copy.service'] = exited('i1', 3);
  await until('it has ended', () => events.length >= 4);
  expect(events).toEqual([
    { type: 'run-seen', run: 'copy/1', invocation: 'i1' },
    { type: 'progress-read', run: 'copy/1', detail: 'step ***  of 3' },
    { type: 'progress-read', run: 'copy/1', detail: 'step 2' },
    { type: 'run-exited', run: 'copy/1', exitCode: 3 },
  ]);
  const asked = host.asked.length;
  watch.add(runOf('other'));
  await rounds();
  expect(host.asked.slice(asked).flat()).not.toContain('copy.service');
});

test.each([
  ['that the run has', {}, { invocation: 'i1' }],
  ['that was running when it was tracked', { invocation: 'i1' }, {}],
])('an invocation %s is known: another one is not it', async (_which, source, over) => {
  host.shown['copy.service'] = running('i2');
  watch.add(runOf('copy', source, over));
  await until('the journal is asked for it', () => host.journalAsked.length > 0);
  expect(host.journalAsked[0]).toEqual(['i1']);
  expect(events).toEqual([]);
});

test('units of all runs are asked for at once, and none when nothing is watched', async () => {
  watch.add(runOf('a'));
  watch.add(runOf('b'));
  await until('both are asked for', () => host.asked.some((units) => units.length === 2));
  watch.remove(runOf('a'));
  watch.remove(runOf('b'));
  const before = host.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(host.asked.length - before).toBeLessThanOrEqual(1);
  watch.add(runOf('pid', {}, { definition: definition('pid', { command: [] }) }));
  expect(host.asked.flat()).not.toContain('pid.service');
});

test('a systemd that cannot be asked is the problem of every run, once, until it answers', async () => {
  host.failure = 'there is no systemctl';
  watch.add(runOf('a'));
  watch.add(runOf('b'));
  await until('both have the problem', () => events.length >= 2);
  await rounds();
  host.failure = '';
  await until('neither has', () => events.length >= 4);
  await rounds();
  const reason = 'there is no systemctl';
  expect(of('a/1')).toEqual([
    { type: 'watch-problem', run: 'a/1', reason },
    { type: 'watch-problem', run: 'a/1' },
  ]);
  expect(events).toHaveLength(4);
});

test('a problem that an earlier agent has reported is taken back', async () => {
  watch.add(runOf('a', {}, { problem: 'there was no systemctl' }));
  await until('it is taken back', () => events.length > 0);
  expect(events).toEqual([{ type: 'watch-problem', run: 'a/1' }]);
});

describe('a unit that systemd no longer knows', () => {
  const record = (over: JournalRecord): JournalRecord => ({ INVOCATION_ID: 'i1', ...over });
  const journal = (records: JournalRecord[], error = ''): void => {
    host.journal = () => Promise.resolve({ records, error });
  };

  test('ended as the journal says, by the records of that invocation alone', async () => {
    journal([
      record({ MESSAGE_ID: SUCCESS, INVOCATION_ID: 'i2' }),
      record({ MESSAGE: 'Started.' }),
    ]);
    watch.add(runOf('copy', { invocation: 'i1' }));
    await until('the journal was asked', () => host.journalAsked.length >= 2);
    expect(events).toEqual([]);
    journal([record({ MESSAGE_ID: SUCCESS })]);
    await until('it has ended', () => events.length > 0);
    expect(events).toEqual([
      {
        ...{ type: 'run-concluded', run: 'copy/1', status: 'completed' },
        detail: "succeeded, by systemd's journal",
      },
    ]);
  });

  test.each([
    ['', 'the journal has no record of it (RemainAfterExit=yes keeps it'],
    ['No access.', 'No access (SupplementaryGroups=systemd-journal lets the agent'],
  ])('is lost after a while, with what would have kept it: %j', async (error, text) => {
    journal([], error);
    watch.add(runOf('copy', { invocation: 'i1' }));
    await until('the journal was asked', () => host.journalAsked.length >= 2);
    // Since it was found out first, whatever was found since.
    laterMs += GRACE_MS - 5_000;
    await rounds();
    expect(events).toEqual([]);
    laterMs += 5_000;
    await until('it is lost', () => events.length > 0);
    expect(events[0]).toMatchObject({ type: 'run-lost', run: 'copy/1' });
    expect((events[0] as { reason: string }).reason).toContain(
      `copy.service has ended, and systemd no longer knows how; ${text}`,
    );
  });

  test('a slow journal delays nobody, is asked once at a time, and is not waited for when the agent stops', async () => {
    let answer: (given: JournalAnswer) => void = () => undefined;
    host.journal = () => new Promise((resolve) => (answer = resolve as typeof answer));
    watch.add(runOf('copy', { invocation: 'i1' }));
    await until('the journal is asked', () => host.journalAsked.length === 1);
    host.shown['other.service'] = running('o1');
    watch.add(runOf('other'));
    await until('the other is seen', () => of('other/1').length > 0);
    await rounds();
    expect(host.journalAsked).toHaveLength(1);
    const closed = watch.close();
    answer({ records: [record({ MESSAGE_ID: SUCCESS })], error: '' });
    await closed;
    expect(of('copy/1')).toEqual([]);
  });

  test('is not reported of a run that was released meanwhile', async () => {
    let answer: (given: JournalAnswer) => void = () => undefined;
    host.journal = () => new Promise((resolve) => (answer = resolve as typeof answer));
    const run = runOf('copy', { invocation: 'i1' });
    watch.add(run);
    await until('the journal is asked', () => host.journalAsked.length === 1);
    watch.remove(run);
    watch.add(runOf('other'));
    answer({ records: [record({ MESSAGE_ID: SUCCESS })], error: '' });
    await rounds();
    expect(events).toEqual([]);
  });

  test('a hundred are asked for at once, the rest in the next round', async () => {
    for (let index = 0; index < 101; index++) {
      watch.add(runOf(`job-${index}`, { invocation: `i${index}` }));
    }
    await until('the journal was asked', () => host.journalAsked.some((all) => all.length > 1));
    const most = Math.max(...host.journalAsked.map((all) => all.length));
    expect(most).toBe(100);
  });
});

test.each<[string, UnitProperties, object]>([
  [
    'a signal',
    { ...exited('i1', 9), ExecMainCode: '2', Result: 'signal' },
    { type: 'run-exited', exitCode: 137, signal: 'SIGKILL' },
  ],
  [
    'a reason of systemd',
    { ...exited('i1', 9), ExecMainCode: '2', Result: 'watchdog' },
    { type: 'run-exited', exitCode: 137, errorTail: 'systemd: watchdog' },
  ],
  [
    'no exit code',
    { InvocationID: 'i1', ActiveState: 'failed', Result: 'timeout' },
    { type: 'run-concluded', status: 'failed', detail: 'copy.service failed; systemd: timeout' },
  ],
  [
    'nothing at all',
    { InvocationID: 'i1', ActiveState: 'inactive', Result: 'success' },
    { type: 'run-lost' },
  ],
])('an end by %s', async (_how, shown, event) => {
  host.shown['copy.service'] = shown;
  watch.add(runOf('copy', { invocation: 'i1' }));
  await until('it has ended', () => events.some(({ type }) => type !== 'run-seen'));
  expect(events.at(-1)).toMatchObject({ run: 'copy/1', ...event });
});
