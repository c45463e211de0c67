/**
 * The packaged drop-ins, each installed and run. The most important is job-users.conf: jobs with users of their own under an
 * agent that is not root. Its promise is attacked: a job of user a reads and signals nothing of user b's job, nor of the agent.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { whyNoBox } from '../support/systemd-box.ts';
import { until } from '../support/until.ts';
import { InstalledHost, SERVICE, configuration } from './installed-host.ts';

const PACKAGED = '/usr/share/migration-agent/drop-ins';
const DROP_INS = `/etc/systemd/system/${SERVICE}.d`;
const CONFIG = '/etc/migration-agent/config.yaml';
const KEYS = '[default]\naws_access_key_id = AKIDBOX\naws_secret_access_key = not-a-secret\n';

/**
 * Tries everything that one job must not do to another or to the agent, and prints a line for each success. $1: a process
 * of the other job, $2: the agent's process.
 */
const SPY = `#!/bin/sh
try() { what=$1; shift; if "$@" >/dev/null 2>&1; then echo "leak: $what"; fi; }
try 'signal the other job' kill -0 "$1"
try 'environment of the other job' head -c 1 "/proc/$1/environ"
try 'memory map of the other job' head -c 1 "/proc/$1/maps"
try 'open files of the other job' ls "/proc/$1/fd/"
try 'freeze the other job' test -w "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")/cgroup.freeze"
try 'signal the agent' kill -0 "$2"
try 'environment of the agent' head -c 1 "/proc/$2/environ"
try 'open files of the agent' ls "/proc/$2/fd/"
try 'state of the agent' ls /var/lib/migration-agent
try 'database of the agent' head -c 1 /var/lib/migration-agent/state.db
try 'keys of the agent' sh -c 'cat /run/credentials/*/aws-credentials'
try 'configuration of the agent' cat ${CONFIG}
try 'control socket' migration-agent status
try 'capabilities' sh -c '! grep -q "^Cap\\(Eff\\|Prm\\|Inh\\|Amb\\):.*0000000000000000" /proc/self/status'
try 'become root' setpriv --reuid=0 true
try 'become the other user' setpriv --reuid=job-b true
grep -H '^Cap' /proc/self/status
echo "spied as $(id -un)"
`;

const skipped = whyNoBox === '' ? '' : ` (skipped: ${whyNoBox})`;

describe.skipIf(whyNoBox !== '')(`the packaged drop-ins${skipped}`, () => {
  let host: InstalledHost;

  beforeAll(async () => {
    host = await InstalledHost.boot();
    await host.output('dpkg', '--install', host.build('9.0.1'));
    await host.output('systemd-run', '--unit=aws', '-q', 'migration-agent', 'simulate');
    await host.write('/etc/credstore/aws-credentials', KEYS, '600');
    await host.write('/usr/local/bin/spy', SPY, '755');
    for (const user of ['job-a', 'job-b']) {
      await host.output('useradd', '--create-home', '--shell', '/bin/sh', user);
    }
  });

  afterEach(async () => {
    const log = await host.log();
    if (log !== '') process.stdout.write(`${log.replaceAll(/^/gm, '    | ')}\n`);
  });

  afterAll(() => host.close());

  /** Job `b` waits; jobs `spy…` attack it. */
  function jobs(pidOfB: string, agentPid: string): string {
    const command = `command: [spy, "${pidOfB}", "${agentPid}"]`;
    return [
      `  spy-a: { user: job-a, ${command} }`,
      `  spy-agent: { ${command} }`,
      '  whole-tree: { user: job-a, command: [sh, -c, "setsid sleep 600 & sleep 600"] }',
    ].join('\n');
  }

  async function configure(more = ''): Promise<void> {
    const b = configuration(['b']).replace('  b: {', '  b: { user: job-b,');
    await host.write(CONFIG, `${b}${more}\n`, '640');
    await host.output('chgrp', 'migration-agent', CONFIG);
  }

  /** With these drop-ins alone. */
  async function restartWith(...names: string[]): Promise<void> {
    await host.output('rm', '-rf', DROP_INS);
    for (const name of names) {
      await host.output('install', '-D', '-m', '644', `${PACKAGED}/${name}`, `${DROP_INS}/${name}`);
    }
    await host.output('systemctl', 'daemon-reload');
    await host.output('systemctl', 'restart', SERVICE);
  }

  /** As systemd rates the sandbox of the loaded unit: 0 is best, 10 has none. */
  async function exposure(): Promise<number> {
    const { stdout } = await host.run('systemd-analyze', 'security', '--no-pager', SERVICE);
    const rated = /Overall exposure level for \S+: (\d+\.\d+)/.exec(stdout)?.[1];
    if (rated === undefined) throw new Error(`systemd-analyze does not rate it: ${stdout}`);
    return Number(rated);
  }

  async function outputOf(job: string): Promise<string> {
    await host.output('migration-agent', 'start', job);
    await host.untilJob(job, ({ endedAt }) => endedAt !== undefined);
    return host.output('migration-agent', 'logs', job);
  }

  test('without job-users.conf a job with a user is refused, with the remedy', async () => {
    await configure();
    await restartWith();
    await host.output('migration-agent', 'start', 'b');
    const { state, reason } = await host.untilJob('b', ({ endedAt }) => endedAt !== undefined);
    expect(state).toBe('failed');
    expect(reason).toMatch(/CAP_SETUID, CAP_SETGID and CAP_KILL/);
  });

  test('job-users.conf: the agent is not root, and has three capabilities', async () => {
    await restartWith('job-users.conf');
    const status = await host.output('cat', `/proc/${await host.property('MainPID')}/status`);
    const uid = await host.output('id', '-u', 'migration-agent');
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t`, 'm'));
    // CAP_KILL 5, CAP_SETGID 6, CAP_SETUID 7.
    for (const set of ['Eff', 'Prm', 'Bnd', 'Amb']) {
      expect(status).toMatch(new RegExp(`^Cap${set}:\\t00000000000000e0$`, 'm'));
    }
    expect(await exposure()).toBeLessThanOrEqual(2.9);
  });

  test('the exposure of the unit is what the documents say: 2.4, and 1.7 with strict.conf', async () => {
    await restartWith();
    expect(await exposure()).toBeLessThanOrEqual(2.4);
    await restartWith('strict.conf');
    expect(await exposure()).toBeLessThanOrEqual(1.7);
    await restartWith('job-users.conf');
  });

  test('job-users.conf: a job runs as its user, with its groups, its home and no capability', async () => {
    await host.output('migration-agent', 'start', 'b');
    await host.untilJob('b', ({ state }) => state === 'running');
    const pid = await processOfB();
    expect(await host.output('ps', '-o', 'user=', '-p', pid)).toBe('job-b');
    const status = await host.output('cat', `/proc/${pid}/status`);
    expect(status).toMatch(/^CapEff:\t0{16}$/m);
    expect(status).toMatch(/^CapAmb:\t0{16}$/m);
    const groups = (await host.output('id', '-G', 'job-b')).split(' ').toSorted();
    expect((/^Groups:\t(.*)$/m.exec(status)?.[1] ?? '').trim().split(' ').toSorted()).toEqual(
      groups,
    );
  });

  test('job-users.conf: a job of user a reads and signals nothing of b’s job, nor of the agent', async () => {
    await configure(jobs(await processOfB(), await host.property('MainPID')));
    await host.output('systemctl', 'reload', SERVICE);
    const attack = await outputOf('spy-a');
    expect(attack).toContain('spied as job-a');
    expect(attack).not.toContain('leak: ');
    expect((await host.job('b'))?.state).toBe('running');
  });

  test('job-users.conf: a job without a user is refused, since it would have the agent’s rights', async () => {
    await host.output('migration-agent', 'start', 'spy-agent');
    const { state, reason } = await host.untilJob(
      'spy-agent',
      ({ endedAt }) => endedAt !== undefined,
    );
    expect(state).toBe('failed');
    expect(reason).toContain('user:');
  });

  test('job-users.conf: a restart adopts the job of another user; its exit code is known', async () => {
    const pid = await processOfB();
    await host.output('systemctl', 'restart', SERVICE);
    await host.untilJob('b', ({ state }) => state === 'running');
    expect(await processOfB()).toBe(pid);
    await host.end('b', 7);
    expect(await host.untilJob('b', ({ state }) => state === 'failed')).toMatchObject({
      exitCode: 7,
    });
  });

  test('job-users.conf: a cancel ends the whole tree of another user’s job', async () => {
    await host.output('migration-agent', 'start', 'whole-tree');
    await host.untilJob('whole-tree', ({ state }) => state === 'running');
    await until(
      'both sleeps',
      async () => (await host.run('pgrep', '-u', 'job-a', '-c', 'sleep')).stdout.trim() === '2',
    );
    await host.output('migration-agent', 'cancel', 'whole-tree');
    const { state } = await host.untilJob('whole-tree', ({ endedAt }) => endedAt !== undefined);
    expect(state).toBe('canceled');
    expect((await host.run('pgrep', '-u', 'job-a')).stdout).toBe('');
  });

  test('the attacks succeed where they must: a job of the default package, which runs as the agent', async () => {
    await restartWith();
    await configure(jobs(await host.property('MainPID'), await host.property('MainPID')));
    await host.output('systemctl', 'reload', SERVICE);
    const attack = await outputOf('spy-agent');
    expect(attack).toContain('spied as migration-agent');
    for (const leak of ['state', 'keys', 'database', 'open files', 'configuration']) {
      expect(attack).toContain(`leak: ${leak} of the agent`);
    }
    expect(attack).toContain('leak: signal the agent');
    expect(attack).toContain('leak: control socket');
  });

  test('homes.conf: a job may write into a home directory; without it, not', async () => {
    await configure(
      '  home: { user: job-a, command: [sh, -c, "touch /home/job-a/new 2>&1 && echo written"] }',
    );
    await restartWith('job-users.conf');
    expect(await outputOf('home')).toContain('Read-only file system');
    await restartWith('job-users.conf', 'homes.conf');
    expect(await outputOf('home')).toBe('written');
  });

  test('disks.conf: a job may read and write block devices; without it, not', async () => {
    await host.output('mknod', '-m', '660', '/dev/disk-of-the-host', 'b', '1', '15');
    await host.output('chgrp', 'disk', '/dev/disk-of-the-host');
    await configure(
      '  disk: { command: [sh, -c, "test -w /dev/disk-of-the-host && echo writable || echo closed"] }',
    );
    await restartWith();
    expect(await outputOf('disk')).toBe('closed');
    await restartWith('disks.conf');
    expect(await outputOf('disk')).toBe('writable');
  });

  test('journal.conf: the agent may read the journal', async () => {
    await restartWith('journal.conf');
    const { stdout } = await host.run('migration-agent', 'doctor', '--json');
    const { checks } = JSON.parse(stdout) as { checks: { check: string; message: string }[] };
    expect(checks.find(({ check }) => check === 'journal')?.message).toContain(
      'the daemon may read it',
    );
  });

  async function processOfB(): Promise<string> {
    const { stdout } = await host.run('pgrep', '-o', '-u', 'job-b');
    return stdout.trim();
  }
});
