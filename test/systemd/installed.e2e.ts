/**
 * The installed package under a real systemd, one step after the other, each with the log of the service: install,
 * start, restart, crash, watchdog, reload, bad configuration, stop, upgrade, removal. AWS is the simulator.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { whyNoBox } from '../support/systemd-box.ts';
import { until } from '../support/until.ts';
import { InstalledHost, SERVICE, configuration } from './installed-host.ts';

const CONFIG = '/etc/migration-agent/config.yaml';
const DROP_INS = `/etc/systemd/system/${SERVICE}.d`;

const skipped = whyNoBox === '' ? '' : ` (skipped: ${whyNoBox})`;

describe.skipIf(whyNoBox !== '')(`the installed package${skipped}`, () => {
  let host: InstalledHost;
  let first: string;
  let second: string;

  beforeAll(async () => {
    host = await InstalledHost.boot();
    first = host.build('9.0.1');
    second = host.build('9.0.2');
  });

  afterEach(async () => {
    const log = await host.log();
    if (log !== '') process.stdout.write(`${log.replaceAll(/^/gm, '    | ')}\n`);
  });

  afterAll(() => host.close());

  test('install: a user, a configuration to edit; enabled, not started', async () => {
    const startedMs = performance.now();
    const message = await host.output('dpkg', '--install', first);
    process.stdout.write(`    installed in ${seconds(startedMs)} s\n`);
    expect(message).toContain('edit /etc/migration-agent/config.yaml');
    expect(await host.output('stat', '-c', '%U:%G %a', CONFIG)).toBe('root:migration-agent 640');
    expect(await host.output('systemctl', 'is-enabled', SERVICE)).toBe('enabled');
    expect((await host.run('systemctl', 'is-active', SERVICE)).stdout).toBe('inactive\n');
    expect(await host.output('migration-agent', '--version')).toBe('9.0.1');
    expect((await host.run('migration-agent', 'config', 'check')).code).toBe(0);
    expect((await host.run('migration-agent', 'status')).code).toBe(4);
  });

  test('start: READY, a line of status, the socket from systemd, keys by LoadCredential', async () => {
    await host.output('systemd-run', '--unit=aws', '-q', 'migration-agent', 'simulate');
    await host.write('/etc/credstore/aws-credentials', KEYS, '600');
    await host.write(CONFIG, configuration(['copy', 'other']), '640');
    await host.output('chgrp', 'migration-agent', CONFIG);
    // A crash is followed by a pause of five seconds; the tests need not wait for it.
    await host.write(`${DROP_INS}/test.conf`, '[Service]\nRestartSec=100ms\n');
    await host.output('systemctl', 'daemon-reload');
    const startedMs = performance.now();
    await host.output('systemctl', 'start', SERVICE);
    process.stdout.write(`    READY after ${seconds(startedMs)} s\n`);
    await until(
      'the line',
      async () => (await host.property('StatusText')) === 'healthy; 0 running, outbox 0',
    );
    expect(await host.output('systemctl', 'is-active', 'migration-agent.socket')).toBe('active');
    expect(await host.output('stat', '-c', '%U:%G %a', '/run/migration-agent/agent.sock')).toBe(
      'migration-agent:migration-agent 660',
    );
    expect(await listeners(await host.property('MainPID'))).toContain(
      '/run/migration-agent/agent.sock',
    );
  });

  test('a job: reported with those keys; its environment has nothing of the agent', async () => {
    await host.start('copy');
    await host.untilJob(
      'copy',
      ({ destinations }) => destinations.migrationHub?.lastAcceptedAt !== undefined,
    );
    expect(await host.reportsOf('copy')).toContainEqual({
      status: 'IN_PROGRESS',
      nextUpdateS: 300,
    });
    const [pid = ''] = (await host.processesOf('copy')).split(' ');
    const environment = await host.output('cat', `/proc/${pid}/environ`);
    expect(environment).toContain('MIGRATION_JOB=copy');
    expect(environment).not.toMatch(/CREDENTIALS_DIRECTORY|LISTEN_FDS|NOTIFY_SOCKET|AWS_/);
    expect(await listeners(pid)).toBe('');
    await until('the line', async () =>
      /^healthy; 1 running, nearest deadline \d:\d\d, outbox 0$/.test(
        await host.property('StatusText'),
      ),
    );
  });

  test('figures: from start to READY and idle memory, beside Node with the two SDK clients alone', async () => {
    const timesMs: number[] = [];
    for (let i = 0; i < 5; i++) {
      await host.output('systemctl', 'restart', SERVICE);
      const begunUs = Number(await host.property('ExecMainStartTimestampMonotonic'));
      timesMs.push((Number(await host.property('ActiveEnterTimestampMonotonic')) - begunUs) / 1000);
    }
    const { code, stdout } = await host.run('sh', '-c', BARE_NODE, 'sh', ROOT);
    const [bareMs, bareKib] = code === 0 ? stdout.trim().split(' ').map(Number) : [];
    const agentKib = await residentKib(await host.property('MainPID'));
    const mb = (kib: number | undefined) => (kib === undefined ? '?' : (kib / 1024).toFixed(0));
    process.stdout.write(
      `    start to READY: median ${timesMs.toSorted((a, b) => a - b)[2]!.toFixed(0)} ms of ${timesMs.map((ms) => ms.toFixed(0)).join(', ')}\n` +
        `    Node that imports both clients: ${bareMs?.toFixed(0)} ms, ${mb(bareKib)} MB\n` +
        `    agent with one job: ${mb(agentKib)} MB\n`,
    );
    expect(agentKib).toBeLessThan(200 * 1024);
  });

  test('restart: the promise is stretched, clients wait, the job and its exit code are kept', async () => {
    const processes = await host.processesOf('copy');
    const pid = await host.property('MainPID');
    // Two seconds in which there is no agent.
    await host.write(`${DROP_INS}/slow.conf`, '[Service]\nExecStartPre=sleep 2\n');
    await host.output('systemctl', 'daemon-reload');
    const restart = host.output('systemctl', 'restart', SERVICE);
    // Asked at any moment of the restart, `status` is answered by one agent or the other.
    let asked = 0;
    const over = restart.then(() => 'over');
    for (let next = ''; next !== 'over';) {
      const answered = host.run('migration-agent', 'status');
      next = await Promise.race([over, answered.then(({ code }) => String(code))]);
      expect((await answered).code).toBe(0);
      asked++;
    }
    process.stdout.write(`    ${asked} times asked meanwhile, each time answered\n`);
    expect(asked).toBeGreaterThan(0);
    await host.untilRestarted(pid);
    await host.output('rm', `${DROP_INS}/slow.conf`);
    expect(await host.processesOf('copy')).toBe(processes);
    expect(await host.reportsOf('copy')).toContainEqual({
      status: 'IN_PROGRESS',
      nextUpdateS: 3600,
    });
    await host.end('copy', 7);
    expect(await host.untilJob('copy', ({ state }) => state === 'failed')).toMatchObject({
      exitCode: 7,
    });
  });

  test('kill -9: systemd starts another agent, which finds the exit code of a job that ended meanwhile', async () => {
    const processes = await host.start('copy');
    const pid = await host.property('MainPID');
    await host.output('systemctl', 'kill', '-s', 'KILL', '--kill-who=main', SERVICE);
    await host.end('copy', 9);
    await host.untilRestarted(pid);
    expect(processes).not.toBe('');
    expect(await host.untilJob('copy', ({ state }) => state === 'failed')).toMatchObject({
      run: 2,
      exitCode: 9,
    });
  });

  test('watchdog: an agent that hangs is replaced, its job is not', async () => {
    await host.write(`${DROP_INS}/watchdog.conf`, '[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n');
    await host.output('systemctl', 'daemon-reload');
    await host.output('systemctl', 'restart', SERVICE);
    const processes = await host.start('copy');
    const pid = await host.property('MainPID');
    await host.output('kill', '-STOP', pid);
    await host.untilRestarted(pid);
    expect(await host.log()).toContain('Watchdog timeout');
    expect(await host.processesOf('copy')).toBe(processes);
    await host.end('copy', 0);
    await host.untilJob('copy', ({ state }) => state === 'succeeded');
    await host.output('rm', `${DROP_INS}/watchdog.conf`);
    await host.output('systemctl', 'daemon-reload');
    await host.output('systemctl', 'restart', SERVICE);
  });

  test('reload: a good file is in force when the command returns, a bad one makes it fail', async () => {
    const pid = await host.property('MainPID');
    await host.write(CONFIG, configuration(['copy', 'other', 'new']), '644');
    await host.output('systemctl', 'reload', SERVICE);
    expect((await host.status()).jobs.map(({ name }) => name)).toContain('new');

    await host.write(CONFIG, configuration(['copy'], 'nonsense: 1'), '644');
    const refused = await host.run('systemctl', 'reload', SERVICE);
    expect(refused.code).not.toBe(0);
    expect((await host.status()).jobs.map(({ name }) => name)).toContain('new');
    expect(await host.property('ActiveState')).toBe('active');
    expect(await host.property('MainPID')).toBe(pid);
    expect(await host.log()).toContain('nonsense');
  });

  test('a bad configuration at start: no restart, and commands do not try either', async () => {
    await host.run('systemctl', 'restart', SERVICE);
    await until('the service fails', async () => (await host.property('ActiveState')) === 'failed');
    expect(await host.property('ExecMainStatus')).toBe('78');
    expect((await host.run('migration-agent', 'status')).code).toBe(4);
    expect(await host.property('ActiveState')).toBe('failed');
    expect(await host.log()).toContain('nonsense');
    await host.write(CONFIG, configuration(['copy', 'other']), '644');
    await host.output('systemctl', 'start', SERVICE);
  });

  test('stop: the job goes on, no command starts the agent again; the next start finds it', async () => {
    const processes = await host.start('copy');
    const startedMs = performance.now();
    await host.output('systemctl', 'stop', SERVICE);
    process.stdout.write(`    stopped in ${seconds(startedMs)} s\n`);
    expect(await host.processesOf('copy')).toBe(processes);
    expect((await host.run('migration-agent', 'status')).code).toBe(4);
    expect(await host.property('ActiveState')).toBe('inactive');
    expect((await host.reportsOf('copy')).at(-1)).toEqual({
      status: 'IN_PROGRESS',
      nextUpdateS: 3600,
    });
    await host.output('systemctl', 'start', SERVICE);
    await host.untilJob('copy', ({ state }) => state === 'running');
    await until(
      'the usual promise',
      async () => (await host.reportsOf('copy')).at(-1)?.nextUpdateS === 300,
    );
  });

  test('the stricter agent: jobs are units of the user’s own manager, outside its sandbox', async () => {
    // Lingering is logind's affair; the box has it switched off because it has no seats.
    await host.output('rm', '-f', '/etc/systemd/system/systemd-logind.service');
    await host.output('systemctl', 'daemon-reload');
    await host.output('loginctl', 'enable-linger', 'migration-agent');
    const strict = '/usr/share/migration-agent/drop-ins/strict.conf';
    await host.output('install', '-D', '-m', '644', strict, `${DROP_INS}/strict.conf`);
    await host.write(CONFIG, configuration(['copy', 'other'], 'agent: { backend: unit }'), '644');
    await host.output('systemctl', 'daemon-reload');
    await host.output('systemctl', 'restart', SERVICE);
    expect(await host.property('ProtectSystem')).toBe('strict');

    const processes = await host.start('other');
    const [pid = ''] = processes.split(' ');
    expect(await host.output('cat', `/proc/${pid}/cgroup`)).toMatch(
      /user@\d+\.service\/migration.*jobs\.slice/,
    );
    await host.output('systemctl', 'restart', SERVICE);
    expect(await host.processesOf('other')).toBe(processes);
    await host.end('other', 5);
    expect(await host.untilJob('other', ({ state }) => state === 'failed')).toMatchObject({
      exitCode: 5,
    });

    await host.output('rm', `${DROP_INS}/strict.conf`);
    await host.write(CONFIG, configuration(['copy', 'other']), '644');
    await host.output('systemctl', 'daemon-reload');
    await host.output('systemctl', 'restart', SERVICE);
    await host.untilJob('copy', ({ state }) => state === 'running');
  });

  test('upgrade: the new version finds the job and its end; the configuration stays', async () => {
    const processes = await host.processesOf('copy');
    await host.output('dpkg', '--install', second);
    expect((await host.status()).agent.version).toBe('9.0.2');
    expect(await host.processesOf('copy')).toBe(processes);
    await host.end('copy', 4);
    expect(await host.untilJob('copy', ({ state }) => state === 'failed')).toMatchObject({
      exitCode: 4,
    });
    expect(await host.output('cat', CONFIG)).toContain('progressUpdateStream: box');
  });

  test('removal: refused while a job runs, and clean afterwards', async () => {
    await host.start('other');
    // What others claim about their processes counts for nothing, and is not printed.
    const claim = 'MIGRATION_JOB=forged\u001b[31m';
    await host.output(
      ...['systemd-run', '-q', '--unit=forger', '--uid=nobody', '-E', claim, 'sleep', '600'],
    );
    const refused = await host.run('dpkg', '--remove', 'migration-agent');
    process.stdout.write(refused.stderr.replaceAll(/^/gm, '    '));
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/these jobs run[^]*other[^]*MIGRATION_AGENT_FORCE_REMOVE/);
    expect(refused.stderr).not.toContain('forged');
    expect((await host.status()).jobs.find(({ name }) => name === 'other')?.state).toBe('running');

    await host.output('migration-agent', 'cancel', 'other');
    await host.output('migration-agent', 'wait', 'other', '--for', 'delivered').catch(() => '');
    await host.output('dpkg', '--remove', 'migration-agent');
    expect(await host.property('LoadState')).not.toBe('loaded');
    expect(await host.output('cat', CONFIG)).toContain('box');
    await host.output('dpkg', '--purge', 'migration-agent');
    const left = await host.run(
      ...['find', '/etc', '/usr', '/var/lib', '/var/log', '/var/cache', '/run', '-xdev'],
      ...[
        '-name',
        '*migration-agent*',
        '-not',
        '-path',
        '*/share/*',
        '-not',
        '-path',
        '/usr/src/*',
      ],
    );
    // systemd's own notes of timers and enablement go with the package, too; the drop-ins are the test's.
    expect(
      left.stdout.split('\n').filter((line) => line !== '' && !line.startsWith(DROP_INS)),
    ).toEqual([]);
  });

  async function residentKib(pid: string): Promise<number> {
    return Number(
      await host.output('sed', '-n', 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p', `/proc/${pid}/status`),
    );
  }

  /** Sockets of a process that listen, by path. */
  async function listeners(pid: string): Promise<string> {
    const inodes = `ls -l /proc/${pid}/fd | sed -n 's/.*socket:\\[\\([0-9]*\\)\\].*/\\1/p'`;
    return host.output(
      'sh',
      '-c',
      `for i in $(${inodes}); do grep " 00010000 .* $i " /proc/net/unix || true; done`,
    );
  }
});

const ROOT = new URL('../..', import.meta.url).pathname;
/** Milliseconds and KiB of a Node that does nothing but import the clients, with the options of the agent's own. */
const BARE_NODE = `cd "$1" && exec /usr/libexec/migration-agent/node --max-semi-space-size=4 --input-type=module -e '
import "@aws-sdk/client-migration-hub";
import "@aws-sdk/client-data-pipeline";
console.log(performance.now(), process.memoryUsage.rss() / 1024)'`;
const KEYS = '[default]\naws_access_key_id = AKIDBOX\naws_secret_access_key = not-a-secret\n';

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(2);
}
