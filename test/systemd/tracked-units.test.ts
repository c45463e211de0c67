/** Units of a real systemd, tracked: the programs `systemctl` and `journalctl` are the box's own. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/model/event.ts';
import type { TrackedSource } from '../../src/core/model/job.ts';
import { findSources } from '../../src/jobs/tracked/source.ts';
import { createTrackedWork } from '../../src/jobs/tracked/tracked-work.ts';
import type { TrackedWork } from '../../src/ports.ts';
import { definition } from '../support/settings.ts';
import { SystemdBox, whyNoBox } from '../support/systemd-box.ts';
import { until } from '../support/until.ts';

const skipped = whyNoBox === '' ? '' : ` (skipped: ${whyNoBox})`;
const SCRIPT = join(import.meta.dirname, '../support/systemd-box.sh');

/** Unit files: a timer or a target that refers to a unit keeps systemd's memory of it. */
const UNITS: Readonly<Record<string, string>> = {
  good: 'ExecStart=/bin/sleep 1',
  bad: 'ExecStart=/bin/sh -c "sleep 1; exit 23"',
  killed: 'ExecStart=/bin/sleep 300',
  restarting: 'ExecStart=/bin/sh -c "sleep 1; exit 4"\nRestart=on-failure\nRestartSec=60',
  again: 'ExecStart=/bin/sleep 300',
  remaining: 'Type=oneshot\nExecStart=/bin/sleep 1\nRemainAfterExit=yes',
  forgotten: 'ExecStart=/bin/sleep 1',
  unrecorded: 'ExecStart=/bin/sleep 1\nLogLevelMax=warning',
  early: 'ExecStartPre=/bin/sh -c "sleep 1; exit 9"\nExecStart=/bin/true',
  stopped: 'ExecStart=/bin/sleep 300',
  later: 'ExecStart=/bin/sleep 1',
};

describe.skipIf(whyNoBox !== '')(`units${skipped}`, () => {
  let box: SystemdBox;
  let directory: string;
  let work: TrackedWork;
  const path = process.env['PATH'];
  const events: Event[] = [];

  beforeAll(async () => {
    box = await SystemdBox.start();
    directory = mkdtempSync(join(tmpdir(), 'tracked-units-'));
    for (const name of ['systemctl', 'journalctl']) {
      const program = join(directory, name);
      const message = `#!/bin/sh\nBOX='${box.directory}' exec '${SCRIPT}' run ${name} "$@"\n`;
      writeFileSync(program, message);
      chmodSync(program, 0o755);
    }
    process.env['PATH'] = `${directory}:${path ?? ''}`;
    const files = Object.entries(UNITS)
      .map(
        ([name, text]) =>
          `printf '%b' '[Service]\\n${text.replaceAll('\n', '\\n')}\\n' > ${name}.service`,
      )
      .join('\n');
    const kept = Object.keys(UNITS).filter((name) => !['forgotten', 'unrecorded'].includes(name));
    const wants = kept.map((name) => `After=${name}.service`).join('\\n');
    await box.output(
      ...[
        'sh',
        '-ec',
        `cd /etc/systemd/system\n${files}\nprintf '%b' '[Unit]\\n${wants}\\n' > holder.target`,
      ],
    );
    await box.output('systemctl', 'daemon-reload');
    await box.output('systemctl', 'start', 'holder.target');
    work = createTrackedWork({
      post: (event) => events.push(event),
      bootId: 'unused',
      mask: (text) => text,
      graceMs: { pid: 0, file: 0, unit: 3000 },
      checkEveryMs: 100,
    });
  }, 60_000);

  afterAll(async () => {
    process.env['PATH'] = path;
    await work.close();
    await box.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function watch(name: string, tracked: TrackedSource): void {
    work.watch({
      id: `${name}/1`,
      job: name,
      number: 1,
      definition: definition(name, { command: [], tracked }),
      origin: 'tracked',
      state: 'starting',
      requestedAt: { wallMs: 0, bootMs: 0 },
      spawn: 1,
    });
  }

  const of = (name: string): Event[] =>
    events.filter((event) => 'run' in event && event.run === `${name}/1`);

  async function endOf(name: string): Promise<Event> {
    const end = () => of(name).find(({ type }) => type !== 'run-seen' && type !== 'progress-read');
    await until(
      `${name} has ended`,
      () => end() !== undefined,
      () => JSON.stringify(of(name)),
    );
    return end()!;
  }

  test('each ends as systemd says of that very invocation, all with one call of systemctl', async () => {
    const running = Object.keys(UNITS).filter((name) => name !== 'later');
    await box.output('systemctl', 'start', '--no-block', ...running);
    const sources = await findSources(
      Object.keys(UNITS).map((unit) => ({ unit })),
      'unused',
    );
    Object.keys(UNITS).forEach((name, index) => {
      watch(name, sources[index] as TrackedSource);
    });
    await until('killed is seen', () => of('killed').length > 0);
    await until('again is seen', () => of('again').length > 0);
    await until('stopped is seen', () => of('stopped').length > 0);
    expect(of('later')).toEqual([]);
    await box.output('systemctl', 'kill', '--signal=SIGKILL', 'killed');
    await box.output('systemctl', 'restart', 'again');
    await box.output('systemctl', 'stop', 'stopped');
    await box.output('systemctl', 'start', '--no-block', 'later');

    const lost = (message: RegExp) => ({
      type: 'run-lost',
      reason: expect.stringMatching(message) as string,
    });
    expect(await endOf('good')).toMatchObject({ type: 'run-exited', exitCode: 0 });
    expect(await endOf('later')).toMatchObject({ type: 'run-exited', exitCode: 0 });
    expect(await endOf('remaining')).toMatchObject({ type: 'run-exited', exitCode: 0 });
    expect(await endOf('bad')).toMatchObject({ type: 'run-exited', exitCode: 23 });
    expect(await endOf('restarting')).toMatchObject({ type: 'run-exited', exitCode: 4 });
    expect(await endOf('killed')).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
    // For systemd a unit that was stopped is a success; its work was not done.
    expect(await endOf('stopped')).toMatchObject({ exitCode: 143, signal: 'SIGTERM' });
    expect(await endOf('early')).toMatchObject({ type: 'run-concluded', status: 'failed' });
    // The journal has the end of an invocation that systemd itself no longer knows.
    expect(await endOf('again')).toMatchObject(lost(/was asked to stop/));
    expect(await endOf('forgotten')).toMatchObject({ type: 'run-concluded', status: 'completed' });
    expect(await endOf('unrecorded')).toMatchObject(lost(/the journal has no record of it/));
  }, 60_000);

  test('what cannot be tracked is refused', async () => {
    expect(
      await findSources([{ unit: 'no-such-thing' }, { unit: '*' }, { unit: 'good' }], 'unused'),
    ).toEqual([
      'unit: systemd knows no unit no-such-thing.service',
      'unit: "*" is not the name of a systemd unit',
      {
        by: 'unit',
        unit: 'good.service',
        before: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      },
    ]);
  });

  test('hundreds of units are asked for by one call', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tracked-units-'));
    const path = process.env['PATH'] ?? '';
    const systemctl = execFileSync('sh', ['-c', 'command -v systemctl'], { encoding: 'utf8' });
    writeFileSync(
      join(directory, 'systemctl'),
      `#!/bin/sh\necho call >> ${directory}/calls\nexec ${systemctl.trim()} "$@"\n`,
      { mode: 0o755 },
    );
    process.env['PATH'] = `${directory}:${path}`;
    try {
      const requests = Array.from({ length: 300 }, (_, index) => ({ unit: `unit-${index}` }));
      expect(await findSources(requests, 'unused')).toHaveLength(300);
      expect(readFileSync(join(directory, 'calls'), 'utf8')).toBe('call\n');
    } finally {
      process.env['PATH'] = path;
      rmSync(directory, { recursive: true });
    }
  });
});

test('a host without systemctl, or whose systemd does not answer: the reason names it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tracked-units-'));
  const path = process.env['PATH'];
  process.env['PATH'] = directory;
  try {
    expect(await findSources([{ unit: 'a' }], 'unused')).toEqual([
      'unit: there is no systemctl on this host',
    ]);
    const program = join(directory, 'systemctl');
    writeFileSync(
      program,
      '#!/bin/sh\necho "Failed to connect to bus: No such file" >&2\nexit 1\n',
    );
    chmodSync(program, 0o755);
    expect(await findSources([{ unit: 'a' }], 'unused')).toEqual([
      'unit: systemctl cannot ask systemd: Failed to connect to bus: No such file',
    ]);
  } finally {
    process.env['PATH'] = path;
    rmSync(directory, { recursive: true });
  }
});
