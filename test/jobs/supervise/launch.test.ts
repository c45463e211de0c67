/** How a job's programs see the host, and what is made for a run before it starts. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ownAccount } from '../../../src/jobs/process/environment.ts';
import { prepareStart, resolveLaunch, StartRefused } from '../../../src/jobs/supervise/launch.ts';
import { readJobUser, runDirectory, runLogPaths } from '../../../src/jobs/files/run-directory.ts';
import { bootId, makeRun } from '../support.ts';

test.each([
  [undefined, '/'],
  ['/srv/a', '/srv/a'],
  ['/srv/../etc', '/etc'],
])('the directory %s is %s', async (workingDirectory, cwd) => {
  const run = makeRun(['true'], workingDirectory === undefined ? {} : { workingDirectory });
  expect((await resolveLaunch(run, '/run/a.sock')).cwd).toBe(cwd);
});

test('the agent’s own user needs no change, by name or by number; an unknown one is refused', async () => {
  for (const user of [ownAccount().username, String(process.getuid?.())]) {
    expect(await resolveLaunch(makeRun(['true'], { user }), '/run/a.sock')).not.toHaveProperty(
      'user',
    );
  }
  const unknown = resolveLaunch(makeRun(['true'], { user: 'nobody-at-all' }), '/run/a.sock');
  await expect(unknown).rejects.toThrow(StartRefused);
  await expect(unknown).rejects.toThrow('there is no user nobody-at-all on this host');
});

test('a run gets its directory and empty logs that are the agent’s alone, and whose it is', () => {
  const state = mkdtempSync(join(tmpdir(), 'launch-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  chmodSync(state, 0o755);
  const run = makeRun(['true'], {}, { job: 'copy', number: 1 });
  const directory = runDirectory(state, 'copy', 1);
  const logs = runLogPaths(state, 'copy', 1);
  const user = { name: 'migrator', uid: 1001, gid: 1001, home: '/' };
  prepareStart({ ...{ run, directory, logs, bootId }, launch: { cwd: '/', env: {}, user } });
  for (const path of Object.values(logs)) {
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  }
  expect(statSync(join(directory, '.shim')).mode & 0o777).toBe(0o700);
  expect(readJobUser(directory, 1)).toBe(1001);
  // A second spawn, of the agent's own user.
  const again = { ...run, spawn: 2 };
  prepareStart({ ...{ run: again, directory, logs, bootId }, launch: { cwd: '/', env: {} } });
  expect(readJobUser(directory, 2)).toBeUndefined();
});
