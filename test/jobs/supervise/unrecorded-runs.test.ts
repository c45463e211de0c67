/** Runs that live although the store knows nothing of them: found by what their directories and processes show. */
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobOfDirectory, runDirectory } from '../../../src/jobs/files/run-directory.ts';
import { kill, makeRun, processesWith, sh, until, withHosts } from '../support.ts';
import type { Host } from '../support.ts';

const never = (): boolean => false;

async function started(
  host: Host,
  ...args: Parameters<typeof makeRun>
): Promise<ReturnType<typeof makeRun>> {
  const run = makeRun(...args);
  host.host.start(run);
  await until(
    () => host.all('run-started').some((event) => event.run === run.id),
    () => JSON.stringify(host.events),
  );
  return run;
}

const SLEEP = ['sleep', '600'];

test.each(['copy', 'copy files', 'päck', '..', 'a/b%', 'x'.repeat(500), '%'])(
  'the name of the job %s is read off its directory',
  (job) => {
    expect(jobOfDirectory('/state', runDirectory('/state', job, 7))).toEqual([job, 7]);
  },
);

test('a live run is returned as it was started, and can be adopted; its exit code is known', () =>
  withHosts(async (newHost, directory) => {
    const first = newHost();
    const go = join(directory, 'go');
    const wait = sh(`while [ ! -e "${go}" ]; do sleep 0.05; done; exit 7`);
    const run = await started(first, wait, { name: 'päck/x' });
    await first.host.close();

    const second = newHost();
    expect(second.host.unrecorded?.((id) => id === run.id)).toEqual([]);
    const third = newHost();
    const found = third.host.unrecorded?.(never) ?? [];
    expect(found).toEqual([
      { run: JSON.parse(JSON.stringify(run)) as unknown, isOfThisBoot: true },
    ]);
    third.host.adopt(found[0]!.run);
    await third.event('run-started');
    writeFileSync(go, '');
    expect(await third.event('run-exited')).toMatchObject({ run: run.id, exitCode: 7 });
    expect(third.host.problems?.()).toEqual([]);
  }));

test('ends that nobody took are reported, those of a job in their order; settled runs are not looked for', () =>
  withHosts(async (newHost) => {
    const first = newHost();
    const ids: string[] = [];
    for (const exitCode of [0, 3, 4, 5]) {
      const run = await started(first, sh(`exit ${exitCode}`), { name: 'ended' });
      ids.push(run.id);
      await until(
        () => first.all('run-exited').some((event) => event.run === run.id),
        () => JSON.stringify(first.events),
      );
      if (exitCode === 0) first.host.settled?.(run);
    }
    await first.host.close();
    const second = newHost();
    const found = second.host.unrecorded?.(never) ?? [];
    expect(found.map(({ run }) => run.id)).toEqual(ids.slice(1));
    for (const { run } of found) second.host.adopt(run);
    await until(
      () => second.all('run-exited').length === 3,
      () => JSON.stringify(second.events),
    );
    const ends = second.all('run-exited').map(({ run, exitCode }) => [run, exitCode]);
    expect(ends).toEqual(ids.slice(1).map((id, at) => [id, at + 3]));
    expect(second.host.problems?.()).toEqual([]);
    // Their job is free.
    await started(second, sh('exit 0'), { name: 'ended' });
  }));

test('a run that ended without an exit record is lost, also over a reboot', () =>
  withHosts(async (newHost) => {
    const first = newHost();
    const run = await started(first, SLEEP, { name: 'killed' });
    kill(first.all('run-started')[0]!.process.pid);
    await first.event('run-orphaned');
    first.host.signalTree(run, 'SIGKILL');
    await until(
      () => first.all('tree-checked').some(({ survivors }) => survivors.length === 0),
      () => JSON.stringify(first.events),
    );
    await first.host.close();
    for (const boot of [undefined, 'another-boot']) {
      const next = newHost(boot);
      const found = next.host.unrecorded?.(never) ?? [];
      expect(found).toMatchObject([{ run: { id: run.id }, isOfThisBoot: boot === undefined }]);
      next.host.adopt(found[0]!.run);
      expect(await next.event('run-lost')).toMatchObject({ run: run.id });
      expect(next.host.problems?.()).toEqual([]);
    }
  }));

test.each([
  ['an ended run', sh('exit 6')],
  ['a live run', SLEEP],
])('%s of another host, from which the directory was copied, is left alone', (_what, command) =>
  withHosts(async (newHost) => {
    const there = newHost(undefined, undefined, 'process', { machine: 'there' });
    const run = await started(there, command, { name: 'copy' });
    await there.host.close();
    const here = newHost(undefined, undefined, 'process', { machine: 'here' });
    expect(here.host.unrecorded?.(never)).toEqual([]);
    expect(here.host.problems?.()).toEqual([]);
    const again = newHost(undefined, undefined, 'process', { machine: 'there', hardware: 'x' });
    expect(again.host.unrecorded?.(never)).toMatchObject([{ run: { id: run.id } }]);
  }),
);

test.each([
  ['that ended', undefined],
  ['of an earlier boot', 'another-boot'],
])('a run %s whose record is damaged is shown until the record is removed', (_what, boot) =>
  withHosts(async (newHost) => {
    const first = newHost();
    const command = boot === undefined ? sh('exit 6') : SLEEP;
    const run = await started(first, command, { name: 'copy' });
    if (boot === undefined) await first.event('run-exited');
    await first.host.close();
    writeFileSync(first.path(run, 'run.json'), '{"run":');
    const second = newHost(boot);
    expect(second.host.unrecorded?.(never)).toEqual([]);
    expect(second.host.problems?.()).toEqual([
      expect.stringMatching(
        /^run copy\/\d+ has ended, .* its record is damaged; its output is in .*; report it with "migration-agent notify", then remove .*run\.json and restart the agent$/,
      ),
    ]);
    rmSync(first.path(run, 'run.json'));
    const third = newHost(boot);
    expect(third.host.unrecorded?.(never)).toEqual([]);
    expect(third.host.problems?.()).toEqual([]);
  }),
);

test.each([
  ['without a record', (path: string): void => rmSync(path)],
  [
    'with the record of another run',
    (path: string): void => writeFileSync(path, readFileSync(path, 'utf8').replace('/', '/1')),
  ],
  [
    'with half a record',
    (path: string): void => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 50)),
  ],
  ['with a record of another form', (path: string): void => writeFileSync(path, '[]')],
])('a live run %s is shown, and no other run of its job starts beside it', (_what, damage) =>
  withHosts(async (newHost) => {
    const first = newHost();
    const run = await started(first, SLEEP, { name: 'copy' });
    const path = first.path(run, 'run.json');
    expect(existsSync(path)).toBe(true);
    damage(path);
    await first.host.close();

    const second = newHost();
    expect(second.host.unrecorded?.(never)).toEqual([]);
    expect(second.host.problems?.()).toEqual([
      expect.stringMatching(
        /^run copy\/\d+ \(pid \d+\) may live, and the agent has no record of it/,
      ),
    ]);
    const next = makeRun(sh('exit 0'), { name: 'copy' });
    second.host.start(next);
    expect(await second.event('run-start-failed')).toMatchObject({
      run: next.id,
      reason: expect.stringMatching(/no record, is still running \(pid [\d, ]+\)/) as string,
    });
    // Another job is not held up.
    second.host.start(makeRun(sh('exit 0'), { name: 'other' }));
    await second.event('run-exited');

    const [, pids = ''] = /\(pid ([\d, ]+)\)/.exec(second.all('run-start-failed')[0]!.reason) ?? [];
    pids.split(', ').map(Number).forEach(kill);
    await until(
      () => processesWith(second.directory).length === 0,
      () => 'the processes to be gone',
    );
    // A record is there until nothing is pending.
    const isUnreported = existsSync(path);
    expect(second.host.problems?.()).toEqual(
      isUnreported ? [expect.stringContaining('its end may not have been reported')] : [],
    );
    const last = makeRun(sh('exit 5'), { name: 'copy' });
    second.host.start(last);
    await until(
      () => second.all('run-exited').some((event) => event.run === last.id),
      () => JSON.stringify(second.events),
    );
  }),
);

test('a run whose shim is dead is adopted while processes of it live', () =>
  withHosts(async (newHost) => {
    const first = newHost();
    await started(first, SLEEP, { name: 'copy' });
    await first.host.close();
    const [run] = newHost().host.unrecorded?.(never) ?? [];
    kill(Number((await first.read(run!.run, '.shim/started.1')).split(' ')[0]));

    const second = newHost();
    const found = second.host.unrecorded?.(never) ?? [];
    expect(found).toMatchObject([{ run: { job: 'copy' } }]);
    second.host.adopt(found[0]!.run);
    expect((await second.event('run-orphaned')).pids).toHaveLength(1);
  }));

test('while the run directories cannot be looked into, no job starts; once they can, a live run holds its job', () =>
  withHosts(async (newHost, directory) => {
    const first = newHost();
    await started(first, SLEEP, { name: 'copy' });
    await first.host.close();
    const [runs, away] = [join(directory, 'runs'), join(directory, 'runs.away')];
    renameSync(runs, away);
    // ELOOP, also for root.
    symlinkSync('runs', runs);

    const second = newHost();
    expect(second.host.unrecorded?.(never)).toEqual([]);
    expect(second.host.problems?.()).toEqual([
      expect.stringContaining('the runs of an earlier agent cannot be looked for: ELOOP'),
    ]);
    second.host.start(makeRun(sh('exit 0'), { name: 'copy' }));
    rmSync(runs);
    renameSync(away, runs);
    expect(await second.event('run-start-failed')).toMatchObject({
      reason: expect.stringContaining('no record, is still running') as string,
    });
    expect(second.types()).toEqual(['run-start-failed']);
    expect(second.host.problems?.()).toEqual([expect.stringContaining('may live')]);
  }));
