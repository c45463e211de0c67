/** Finding a job's user in a name service that is slow or away: its silence is not taken for "there is no such user". */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findUser, NameServiceSilent } from '../../../src/jobs/process/user.ts';
import { checkJobs } from '../../../src/cli/file-system/check-jobs.ts';
import { definition } from '../../support/settings.ts';
import { kill, makeRun, processesWith, sh, until, withHosts } from '../support.ts';

const USER = 'nobody-in-passwd';
const KILLED = 'kill -KILL $$';
const NOT_FOUND = 'exit 2';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'migration-agent-getent-'));
  vi.stubEnv('PATH', `${directory}:${process.env['PATH'] ?? ''}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  processesWith(directory).forEach(kill);
  rmSync(directory, { recursive: true });
});

/** Takes the place of getent(1) from now on. */
function getent(script: string): void {
  const path = join(directory, 'getent');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const own = `echo '${USER}:x:${process.getuid?.()}:${process.getgid?.()}::/:/bin/sh'`;

describe('a user that /etc/passwd does not have', () => {
  test('is found by the name service', async () => {
    getent(own);
    expect(await findUser(USER)).toMatchObject({ name: USER, uid: process.getuid?.() });
  });

  test.each(['', 'x', 'x:x', 'x:x:abc:1::/:', 'x:x:1:abc::/:', 'x:x::1::/:', 'x:x:-1:1::/:'])(
    'does not exist if the name service answers %j, which names no user',
    async (line) => {
      getent(`echo '${line}'`);
      expect(await findUser(USER)).toBeUndefined();
    },
  );

  test('has / for a home if none is named', async () => {
    getent(`echo '${USER}:x:4711:4712:::'`);
    expect(await findUser(USER)).toEqual({ name: USER, uid: 4711, gid: 4712, home: '/' });
  });

  test('does not exist if the name service does not know the user', async () => {
    getent(NOT_FOUND);
    expect(await findUser(USER)).toBeUndefined();
  });

  test.each([
    ['gives no answer', 'exec sleep 600', 'no answer within 0.2 s'],
    ['is killed', KILLED, 'getent: Command failed'],
  ])('is unknown if the name service %s', async (_what, script, why) => {
    getent(script);
    const found = findUser(USER, 200);
    await expect(found).rejects.toThrow(NameServiceSilent);
    await expect(found).rejects.toThrow(`cannot be asked for user ${USER}: ${why}`);
  });

  test('is no finding that keeps a job from starting, while the name service is away', async () => {
    getent(KILLED);
    const job = definition('copy', { command: ['/bin/true'], user: USER });
    const path = { path: process.env['PATH'] ?? '' };
    expect(await checkJobs(new Map([['copy', job]]), path)).toEqual([
      {
        job: 'copy',
        keys: ['user'],
        message: expect.stringContaining('the name service cannot be asked') as string,
        isFatal: false,
      },
    ]);
    getent(NOT_FOUND);
    expect(await checkJobs(new Map([['copy', job]]), path)).toMatchObject([{ isFatal: true }]);
  });
});

describe('a run whose user cannot be looked up', () => {
  test('starts once the name service answers, and shows until then what it waits for', () =>
    withHosts(async (newHost) => {
      getent(KILLED);
      const site = newHost();
      const { host } = site;
      host.start(makeRun(sh('exit 3'), { user: USER }));
      await until(
        () => host.problems?.().some((text) => text.includes('waits to start')) === true,
        () => JSON.stringify(host.problems?.()),
      );
      expect(site.types()).toEqual([]);
      getent(own);
      expect(await site.event('run-exited')).toMatchObject({ exitCode: 3 });
      expect(host.problems?.()).toEqual([]);
    }));

  test('never starts if it is canceled meanwhile', () =>
    withHosts(async (newHost) => {
      getent(KILLED);
      const site = newHost();
      const { host } = site;
      const run = makeRun(sh('exit 3'), { user: USER });
      host.start(run);
      await until(
        () => (host.problems?.().length ?? 0) > 0,
        () => JSON.stringify(host.problems?.()),
      );
      run.state = 'canceling';
      await site.event('run-never-started');
      getent(own);
      await until(
        () => host.problems?.().length === 0,
        () => JSON.stringify(host.problems?.()),
      );
      expect(site.types()).toEqual(['run-never-started']);
    }));
});
