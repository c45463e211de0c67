/** What `doctor` says of the daemon, the time zone, control groups and the journal of this host. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hostChecks } from '../../../src/cli/doctor/host-checks.ts';
import type { Finding } from '../../../src/cli/file-system/finding.ts';
import type { Configuration } from '../../../src/config/build/configuration.ts';
import type { Status } from '../../../src/core/model/status.ts';
import { RunCgroup } from '../../../src/jobs/process/cgroups.ts';

const groups = vi.hoisted(() => ({ path: undefined as string | undefined, asked: 0 }));
vi.mock(import('../../../src/jobs/process/cgroups.ts'), async (original) => ({
  ...(await original()),
  cgroupOf: (pid) => {
    groups.asked = pid;
    return groups.path === undefined ? undefined : new RunCgroup(groups.path);
  },
}));

let directory: string;
let schedules: readonly object[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'host-checks-'));
  const made = directory;
  onTestFinished(() => rmSync(made, { recursive: true }));
  Object.assign(groups, { path: undefined, asked: 0 });
  schedules = [];
});

async function look(name: string, daemon?: Partial<Status['agent']>): Promise<Finding | undefined> {
  const jobs = new Map(schedules.map((schedule, at) => [`j${at}`, { schedule }]));
  const configuration = {
    ...{ agent: { stateDirectory: directory, backend: 'process' }, settings: { jobs } },
  } as unknown as Configuration;
  const status = daemon === undefined ? undefined : ({ agent: daemon } as Status);
  return hostChecks(configuration, status)
    .find((check) => check.name === name)
    ?.look();
}

test('Redis is checked only where a fleet has one', () => {
  const names = (fleet: object | undefined): string[] =>
    hostChecks({ agent: {}, fleet } as unknown as Configuration, undefined).map(({ name }) => name);
  expect(names(undefined)).not.toContain('Redis');
  expect(names({ share: 0.5 })).not.toContain('Redis');
  expect(names({ share: 0.5, redis: 'redis://127.0.0.1:1' })).toContain('Redis');
});

test('a Redis that does not answer has failed, and its password is not shown', async () => {
  const fleet = { share: 1, redis: 'redis://:hunter2hunter2@127.0.0.1:1' };
  const checks = hostChecks({ agent: {}, fleet } as unknown as Configuration, undefined);
  const found = await checks.find(({ name }) => name === 'Redis')?.look();
  expect(found).toMatchObject({
    ...{ verdict: 'failed', remedy: expect.stringContaining('fleet.share') as string },
    message: expect.stringMatching(/^redis:\/\/.*127\.0\.0\.1:1.*: .*ECONNREFUSED/) as string,
  });
  expect(found?.message).not.toContain('hunter2');
});

describe('the daemon', () => {
  const daemon = {
    ...{ version: '1.2.3', pid: 4711, problems: [] as string[] },
    ...{ startedAt: '2026-11-27T10:00:00Z', now: '2026-11-27T12:00:00Z' },
  };

  test('runs, and since when', async () => {
    expect(await look('daemon', daemon)).toEqual({
      ...{ verdict: 'ok', message: 'migration-agent 1.2.3 runs as 4711 since 2h00m' },
    });
  });

  test('is degraded: why', async () => {
    expect(await look('daemon', { ...daemon, problems: ['one', 'two'] })).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/since 2h00m; degraded: one; two$/) as string,
    });
  });

  test('does not answer', async () => {
    expect(await look('daemon')).toEqual({
      ...{ verdict: 'skipped', message: 'none answers on the socket' },
    });
  });
});

describe('the time zone', () => {
  const zone = async (tz: string): Promise<Finding | undefined> => {
    const { TZ } = process.env;
    process.env['TZ'] = tz;
    onTestFinished(() => {
      if (TZ === undefined) Reflect.deleteProperty(process.env, 'TZ');
      else process.env['TZ'] = TZ;
    });
    return look('time zone');
  };

  test('is that of the host', async () => {
    expect(await zone('Europe/Berlin')).toEqual({ verdict: 'ok', message: 'Europe/Berlin' });
  });

  test('that is not known fails only where a schedule needs it', async () => {
    schedules = [{ cron: '0 2 * * *', timezone: 'UTC' }];
    expect(await zone('Nowhere/At-All')).toMatchObject({
      ...{
        verdict: 'warning',
        message: expect.stringContaining('set timezone for each') as string,
      },
    });
    schedules = [...schedules, { cron: '0 2 * * *' }];
    expect(await zone('Nowhere/At-All')).toMatchObject({ verdict: 'failed' });
  });
});

describe('control groups', () => {
  test('are those of the daemon, beside its own leaf, or of this process', async () => {
    mkdirSync(join(directory, 'agent'));
    writeFileSync(join(directory, 'cgroup.procs'), '');
    groups.path = join(directory, 'agent');
    const message = `each run can have a group of its own below ${directory}`;
    expect(await look('control groups', { pid: 4711 })).toEqual({ verdict: 'ok', message });
    expect(groups.asked).toBe(4711);
    groups.path = directory;
    expect(await look('control groups')).toEqual({ verdict: 'ok', message });
    expect(groups.asked).toBe(process.pid);
  });

  test('that are not there, or may not be made, are a warning', async () => {
    expect(await look('control groups')).toMatchObject({
      ...{ verdict: 'warning', message: expect.stringMatching(/^no cgroup v2 here: /) as string },
    });
    groups.path = join(directory, 'none');
    expect(await look('control groups')).toMatchObject({
      ...{ verdict: 'warning', remedy: expect.stringContaining('Delegate=yes') as string },
      message: expect.stringContaining(`${groups.path} is not writable`) as string,
    });
  });
});

test('the journal: what is said of it fits who asks, and no answer is a fault', async () => {
  const own = await look('journal');
  const ofDaemon = await look('journal', { pid: process.pid });
  expect(['ok', 'skipped']).toContain(own?.verdict);
  expect(ofDaemon?.verdict).toBe(own?.verdict);
  if (own?.message === 'there is none on this host') return;
  expect(own?.message).toMatch(/^this user may /);
  expect(ofDaemon?.message).toMatch(/^the daemon may /);
  if (process.geteuid?.() === 0) expect(own?.verdict).toBe('ok');
});
