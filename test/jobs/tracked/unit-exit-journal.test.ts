/** How a unit ended that systemd no longer knows, by the records of the journal. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Event } from '../../../src/core/model/event.ts';
import type { JournalRecord } from '../../../src/jobs/tracked/journalctl.ts';
import { createTrackedWork } from '../../../src/jobs/tracked/tracked-work.ts';
import { unitExitFromJournal } from '../../../src/jobs/tracked/unit-exit-journal.ts';
import type { TrackedWork } from '../../../src/ports.ts';
import { definition } from '../../support/settings.ts';
import { until } from '../../support/until.ts';

/** As systemd 252 writes them. */
const SUCCESS = { MESSAGE_ID: '7ad2d189f7e94e70a38c781354912448' };
const STOPPING = { MESSAGE_ID: 'de5b426a63be47a7b6ac3eaac82e2f6f' };
const SENT = {
  MESSAGE: 'a.service: Sent signal SIGTERM to main process 82 (sh) on client request.',
};
const failure = (result: string): JournalRecord => ({
  MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c',
  UNIT_RESULT: result,
});
const exit = (code: string, status: number, who = 'Main'): JournalRecord => ({
  MESSAGE_ID: '98e322203f7a4ed290d09fe03c09fe15',
  MESSAGE: `a.service: ${who} process exited, code=${code}, status=${status}`,
  EXIT_CODE: code,
  EXIT_STATUS: String(status),
});

test.each<[string, JournalRecord[], object | undefined]>([
  ['nothing', [], undefined],
  ['that it was started', [{ MESSAGE: 'Started a.service.' }], undefined],
  ['success', [SUCCESS], { kind: 'completed' }],
  [
    'success after a step that may fail',
    [exit('exited', 1, 'Control'), SUCCESS],
    { kind: 'completed' },
  ],
  ['a stop, and success', [STOPPING, SUCCESS], { kind: 'lost' }],
  ['a signal by systemctl, and success', [SENT, SUCCESS], { kind: 'lost' }],
  ['an exit code', [exit('exited', 3), failure('exit-code')], { kind: 'exited', exitCode: 3 }],
  [
    'a step before it that failed',
    [exit('exited', 9, 'Control'), failure('exit-code')],
    { kind: 'failed', reason: 'a.service failed; systemd: exit-code' },
  ],
  [
    'a signal',
    [exit('killed', 9), failure('signal')],
    { kind: 'exited', exitCode: 137, signal: 'SIGKILL' },
  ],
  [
    'a signal by systemd, for its reason',
    [exit('dumped', 6), failure('watchdog')],
    { kind: 'exited', exitCode: 134, signal: 'SIGABRT', message: 'systemd: watchdog' },
  ],
  ['an exit code without a result', [exit('exited', 3)], undefined],
  ['a failure of unknown kind', [failure('timeout')], { kind: 'failed' }],
])('the journal has %s', (_, records, end) => {
  const exit = unitExitFromJournal('a.service', 'i', records);
  if (end === undefined) expect(exit).toBeUndefined();
  else expect(exit).toMatchObject(end);
});

test('a scope "succeeds" whatever the exit codes in it were: nothing is concluded', () => {
  expect(unitExitFromJournal('a.scope', 'i', [SUCCESS])).toBeUndefined();
});

describe('the agent reads the journal', () => {
  const path = process.env['PATH'];
  let directory: string;
  let events: Event[];
  let work: TrackedWork;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'unit-exit-journal-'));
    process.env['PATH'] = `${directory}:${path ?? ''}`;
    events = [];
    work = workWithGrace(200);
  });

  /** How long a record may take to arrive. */
  function workWithGrace(unit: number): TrackedWork {
    return createTrackedWork({
      post: (event) => events.push(event),
      bootId: 'unused',
      mask: (text) => text,
      graceMs: { pid: 0, file: 0, unit },
      checkEveryMs: 20,
    });
  }

  afterEach(async () => {
    await work.close();
    process.env['PATH'] = path;
    rmSync(directory, { recursive: true });
  });

  function program(name: string, script: string): void {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  }

  /** A systemd that knows only the units that run with these invocations. */
  function systemd(running: Readonly<Record<string, string>> = {}): void {
    const known = Object.entries(running)
      .map(([unit, id]) => `${unit}) echo InvocationID=${id}; echo ActiveState=active;;`)
      .join('\n');
    program(
      'systemctl',
      `while [ "$1" != -- ]; do shift; done; shift
for unit; do case $unit in ${known} *) echo InvocationID=; echo ActiveState=inactive;; esac; echo; done`,
    );
  }

  function watch(name: string, invocation: string): void {
    work.watch({
      id: `${name}/1`,
      job: name,
      number: 1,
      definition: definition(name, {
        command: [],
        tracked: { by: 'unit', unit: `${name}.service`, invocation },
      }),
      origin: 'tracked',
      state: 'running',
      requestedAt: { wallMs: 0, bootMs: 0 },
      invocation,
      spawn: 1,
    });
  }

  const of = (name: string): Event | undefined =>
    events.find((event) => 'run' in event && event.run === `${name}/1`);
  async function eventOf(name: string): Promise<Event> {
    await until(`${name} is reported`, () => of(name) !== undefined);
    return of(name)!;
  }

  test('only systemd’s own records of that very invocation count', async () => {
    systemd();
    const record = JSON.stringify({ ...SUCCESS, INVOCATION_ID: 'mine' });
    program(
      'journalctl',
      `echo "$@" > ${directory}/asked; echo '${record}'; echo '-- No entries --'`,
    );
    watch('mine', 'mine');
    watch('other', 'another');
    expect(await eventOf('mine')).toMatchObject({ type: 'run-concluded', status: 'completed' });
    expect(await eventOf('other')).toMatchObject({
      type: 'run-lost',
      reason: expect.stringContaining('the journal has no record of it') as string,
    });
    // journald's own _PID excludes what other processes write into the journal.
    expect(readFileSync(join(directory, 'asked'), 'utf8')).toContain(' _PID=1 INVOCATION_ID=');
  });

  test('a record that arrives late counts', async () => {
    await work.close();
    // On a busy machine each look takes long.
    work = workWithGrace(60_000);
    systemd();
    const record = JSON.stringify({ ...SUCCESS, INVOCATION_ID: 'mine' });
    program(
      'journalctl',
      `[ -e ${directory}/late ] && echo '${record}'; touch ${directory}/late; exit 0`,
    );
    watch('mine', 'mine');
    expect(await eventOf('mine')).toMatchObject({ type: 'run-concluded', status: 'completed' });
  });

  test('if the journal cannot be read, the reason names the remedy', async () => {
    systemd();
    program('journalctl', 'echo "No journal files were opened." >&2; exit 1');
    watch('mine', 'mine');
    expect(await eventOf('mine')).toMatchObject({
      type: 'run-lost',
      reason: expect.stringContaining(
        'No journal files were opened (SupplementaryGroups=systemd-journal',
      ) as string,
    });
  });

  test('a journal that does not answer delays no other run, and journalctl ends with the agent', async () => {
    systemd({ 'on.service': 'on' });
    program('journalctl', `echo $$ > ${directory}/pid; exec sleep 600`);
    watch('mine', 'mine');
    await until('journalctl runs', () => readPid() !== '');
    watch('on', 'on');
    expect(await eventOf('on')).toMatchObject({ type: 'run-seen' });
    expect(of('mine')).toBeUndefined();
    const sinceMs = performance.now();
    await work.close();
    // Not by the time limit of journalctl, which is 20 s.
    expect(performance.now() - sinceMs).toBeLessThan(10_000);
    await until('it is gone', () => {
      try {
        process.kill(Number(readPid()), 0);
        return false;
      } catch {
        return true;
      }
    });
  });

  function readPid(): string {
    try {
      return readFileSync(join(directory, 'pid'), 'utf8').trim();
    } catch {
      return '';
    }
  }
});
