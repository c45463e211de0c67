/**
 * Units that the installed agent tracks and that systemd forgets, under a real systemd: the journal
 * decides, and nothing else. The agent may read the journal only if an operator allows it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { JobStatus } from '../../src/core/model/status.ts';
import { whyNoBox } from '../support/systemd-box.ts';
import { InstalledHost, SERVICE, configuration } from './installed-host.ts';

const DROP_INS = `/etc/systemd/system/${SERVICE}.d`;
const KEYS = '[default]\naws_access_key_id = x\naws_secret_access_key = y\n';

const skipped = whyNoBox === '' ? '' : ` (skipped: ${whyNoBox})`;

describe.skipIf(whyNoBox !== '')(`units that systemd forgets${skipped}`, () => {
  let host: InstalledHost;

  beforeAll(async () => {
    host = await InstalledHost.boot();
    await host.output('dpkg', '--install', host.build('9.0.1'));
    await host.output('systemd-run', '--unit=aws', '-q', 'migration-agent', 'simulate');
    await host.write('/etc/credstore/aws-credentials', KEYS, '600');
    await host.write('/etc/migration-agent/config.yaml', configuration(['copy']), '644');
    await host.output('systemctl', 'start', SERVICE);
  });

  afterEach(async () => {
    const log = await host.log();
    if (log !== '') process.stdout.write(`${log.replaceAll(/^/gm, '    | ')}\n`);
  });

  afterAll(() => host.close());

  /** A transient unit, which nobody refers to, that ends when its file is there; tracked while it runs. */
  async function begin(name: string, after = 'true', ...properties: string[]): Promise<void> {
    const script = `until [ -e /tmp/${name}.end ]; do sleep 0.05; done; ${after}`;
    const options = properties.flatMap((property) => ['-p', property]);
    await host.output('systemd-run', '-q', `--unit=${name}`, ...options, 'sh', '-c', script);
    await host.output('migration-agent', 'track', name, '--unit', name);
    await host.untilJob(name, ({ state }) => state === 'running');
  }

  /** Lets it end; resolves when systemd knows nothing of it any more. */
  async function forget(name: string): Promise<void> {
    await host.output('touch', `/tmp/${name}.end`);
    await host.untilForgotten(`${name}.service`);
  }

  const ended = (name: string): Promise<JobStatus> =>
    host.untilJob(name, ({ endedAt }) => endedAt !== undefined);

  /** What `doctor` says of the journal. */
  async function journalCheck(): Promise<string | undefined> {
    const { stdout } = await host.run('migration-agent', 'doctor', '--json');
    const { checks } = JSON.parse(stdout) as { checks: { check: string; message: string }[] };
    return checks.find(({ check }) => check === 'journal')?.message;
  }

  test('the installed agent has a reader for status files beside it', async () => {
    await host.write('/tmp/status.json', '{"percent": 30}');
    await host.output('migration-agent', 'track', 'load', '--status-file', '/tmp/status.json');
    await host.untilJob('load', ({ percent }) => percent === 30);
  });

  test('a journal that the agent may not read: lost, with what can be done about it', async () => {
    await begin('closed');
    await forget('closed');
    const { state, reason } = await ended('closed');
    expect(state).toBe('lost');
    expect(reason).toBe(
      'closed.service has ended, and systemd no longer knows how; No journal files were opened due to ' +
        'insufficient permissions (SupplementaryGroups=systemd-journal lets the agent read the journal; ' +
        'RemainAfterExit=yes keeps it, or a report in ExecStopPost=)',
    );
    expect((await host.run('migration-agent', 'wait', 'closed')).code).toBe(5);
    expect(await journalCheck()).toContain('the daemon may not read it');
  });

  test('the drop-in of the documents lets it read the journal', async () => {
    await host.write(
      `${DROP_INS}/journal.conf`,
      '[Service]\nSupplementaryGroups=systemd-journal\n',
    );
    await host.output('systemctl', 'daemon-reload');
    await host.output('systemctl', 'restart', SERVICE);
    expect(await journalCheck()).toContain('the daemon may read it');
  });

  test('ends well: succeeded; a unit that runs on is still running', async () => {
    await begin('on');
    await begin('well');
    await forget('well');
    expect(await ended('well')).toMatchObject({ state: 'succeeded', percent: 100 });
    expect((await host.run('migration-agent', 'wait', 'well', '--for', 'delivered')).code).toBe(0);
    expect((await host.reportsOf('well')).at(-1)).toMatchObject({ status: 'COMPLETED' });
    expect(await host.job('on')).toMatchObject({ state: 'running' });
  });

  test('fails, also if systemd forgets that (CollectMode=inactive-or-failed): its exit code', async () => {
    await begin('badly', 'exit 3', 'CollectMode=inactive-or-failed');
    await forget('badly');
    expect(await ended('badly')).toMatchObject({ state: 'failed', exitCode: 3 });
    await begin('killed', 'kill -KILL $$$$', 'CollectMode=inactive-or-failed');
    await forget('killed');
    expect(await ended('killed')).toMatchObject({ state: 'failed', exitCode: 137 });
  });

  test('stopped by an operator: success is not inferred', async () => {
    await begin('stopped');
    await host.output('systemctl', 'stop', 'stopped');
    await host.untilForgotten('stopped.service');
    const stopped = await ended('stopped');
    expect(stopped.state).toMatch(/^(lost|failed)$/);
    await begin('signalled');
    await host.output('systemctl', 'kill', 'signalled');
    await host.untilForgotten('signalled.service');
    expect((await ended('signalled')).state).toMatch(/^(lost|failed)$/);
  });

  test('ends and is forgotten while no agent runs: each outcome comes from the journal', async () => {
    await begin('away-well');
    await begin('away-badly', 'exit 4', 'CollectMode=inactive-or-failed');
    await begin('away-stopped');
    await begin('away-silent', 'true', 'LogLevelMax=warning');
    await begin('away-again', 'exit 5', 'CollectMode=inactive-or-failed');
    await host.output('systemctl', 'kill', '--signal=SIGKILL', SERVICE, '--kill-whom=main');
    await host.output('systemctl', 'stop', SERVICE);
    await host.output('systemctl', 'stop', 'away-stopped');
    for (const name of ['well', 'badly', 'silent', 'again']) await forget(`away-${name}`);
    // Another invocation under the same name, which runs on.
    await host.output('systemd-run', '-q', '--unit=away-again', 'sleep', '600');
    await host.output('systemctl', 'start', SERVICE);
    expect(await ended('away-well')).toMatchObject({ state: 'succeeded' });
    expect(await ended('away-badly')).toMatchObject({ state: 'failed', exitCode: 4 });
    expect(await ended('away-again')).toMatchObject({ state: 'failed', exitCode: 5 });
    const stopped = await ended('away-stopped');
    expect(stopped).toMatchObject({ state: 'lost' });
    expect(stopped.reason).toContain('was asked to stop');
    const silent = await ended('away-silent');
    expect(silent).toMatchObject({ state: 'lost' });
    expect(silent.reason).toContain('the journal has no record of it');
    expect(await host.job('on')).toMatchObject({ state: 'running' });
  });

  test('the report in ExecStopPost= of the documents: both outcomes, without access to the journal', async () => {
    await host.output('rm', `${DROP_INS}/journal.conf`);
    await host.output('systemctl', 'daemon-reload');
    await host.output('systemctl', 'restart', SERVICE);
    const [line] = /^ *ExecStopPost=.*$/m.exec(host.document('config/tracking.md')) ?? [];
    expect(line).toBeDefined();
    for (const [code, state] of [
      [0, 'succeeded'],
      [3, 'failed'],
    ] as const) {
      const unit = [
        '[Service]',
        'Type=oneshot',
        `ExecStart=/bin/sh -c 'until [ -e /tmp/vault.end ]; do sleep 0.05; done; exit ${code}'`,
        String(line).trim(),
        '',
      ].join('\n');
      await host.write('/etc/systemd/system/vault-copy.service', unit);
      await host.output('rm', '-f', '/tmp/vault.end');
      await host.output('systemctl', 'daemon-reload');
      await host.output('systemctl', 'start', '--no-block', 'vault-copy');
      await host.output('migration-agent', 'track', 'vault', '--unit', 'vault-copy.service');
      await host.untilJob('vault', (job) => job.state === 'running');
      await host.output('touch', '/tmp/vault.end');
      expect(await ended('vault')).toMatchObject({ state });
      await host.output('systemctl', 'reset-failed');
    }
  });
});
