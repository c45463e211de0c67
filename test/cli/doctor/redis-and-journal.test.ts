/** What `doctor` says of the Redis of a fleet and of the journal, by answers that this test makes up. */
import type * as fs from 'node:fs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { probeRedis } from '../../../src/aws/budget/fleet-probe.ts';
import { hostChecks } from '../../../src/cli/doctor/host-checks.ts';
import type { Finding } from '../../../src/cli/file-system/finding.ts';
import type { Configuration } from '../../../src/config/build/configuration.ts';
import type { Status } from '../../../src/core/model/status.ts';

interface Host {
  redis: Awaited<ReturnType<typeof probeRedis>>;
  asked: string[];
  /** Of directories of the journal, the group that may read each. */
  journals: Record<string, number>;
  /** Of processes, what /proc shows. */
  statuses: Record<string, string>;
}
const host = vi.hoisted(() => ({}) as Host);
vi.mock(import('../../../src/aws/budget/fleet-probe.ts'), () => ({
  probeRedis: (url) => {
    host.asked.push(url);
    return Promise.resolve(host.redis);
  },
}));
vi.mock(import('node:fs'), async (original) => {
  const real: typeof fs = await original();
  const isJournal = (path: unknown): path is string => String(path).endsWith('/log/journal');
  return {
    ...real,
    existsSync: (path) => (isJournal(path) ? path in host.journals : real.existsSync(path)),
    statSync: ((path: string, options: never) =>
      isJournal(path) ? { gid: host.journals[path] } : real.statSync(path, options)) as never,
    readFileSync: ((path: string, options: never) =>
      host.statuses[path] ?? real.readFileSync(path, options)) as never,
  };
});

beforeEach(() => {
  const redis = { version: '7.2', tookMs: 3, evictionPolicy: undefined };
  Object.assign(host, { redis, asked: [], journals: {}, statuses: {} });
});

async function look(name: string, pid?: number): Promise<Finding | undefined> {
  const fleet = { share: 1, redis: 'redis://:hunter2hunter2@10.0.0.5:6379' };
  const configuration = { agent: {}, fleet, settings: { jobs: new Map() } };
  const daemon = pid === undefined ? undefined : ({ agent: { pid } } as Status);
  return hostChecks(configuration as unknown as Configuration, daemon)
    .find((check) => check.name === name)
    ?.look();
}

describe('Redis', () => {
  test.each([undefined, 'noeviction'])('that keeps everything (%s)', async (evictionPolicy) => {
    host.redis = { ...host.redis, evictionPolicy } as typeof host.redis;
    expect(await look('Redis')).toEqual({
      ...{ verdict: 'ok', message: 'redis://:***@10.0.0.5:6379 answers in 3 ms (Redis 7.2)' },
    });
    expect(host.asked).toEqual(['redis://:hunter2hunter2@10.0.0.5:6379']);
  });

  test('that may forget budgets', async () => {
    host.redis = { ...host.redis, evictionPolicy: 'allkeys-lru' };
    expect(await look('Redis')).toMatchObject({
      ...{ verdict: 'warning', remedy: expect.stringContaining('noeviction') as string },
      message: expect.stringContaining('maxmemory-policy is allkeys-lru') as string,
    });
  });
});

describe('the journal', () => {
  const PERSISTENT = '/var/log/journal';
  const status = (uids: string, gid: number, groups: string): string =>
    `Name:\tnode\nUid:\t${uids}\nGid:\t${gid}\t${gid}\t${gid}\t${gid}\nGroups:\t${groups} \n`;

  test('is not there', async () => {
    expect(await look('journal')).toEqual({
      ...{ verdict: 'skipped', message: 'there is none on this host' },
    });
  });

  test.each([
    ['root', status('0\t0\t0\t0', 0, ''), 'ok'],
    ['root in effect', status('7\t0\t7\t7', 7, ''), 'ok'],
    ['who was root', status('0\t7\t0\t0', 7, ''), 'skipped'],
    ['its group', status('7\t7\t7\t7', 101, ''), 'ok'],
    ['one of its groups', status('7\t7\t7\t7', 7, '5 101 9'), 'ok'],
    ['nobody of these', status('7\t7\t7\t7', 7, '5 1010 9'), 'skipped'],
  ])('may be read by %s', async (_who, text, verdict) => {
    host.journals = { [PERSISTENT]: 101 };
    host.statuses = { '/proc/self/status': text, '/proc/4711/status': text };
    const may = verdict === 'ok' ? /^this user may read it/ : /^this user may not read it/;
    expect(await look('journal')).toMatchObject({
      ...{ verdict, message: expect.stringMatching(may) as string },
    });
    expect(await look('journal', 4711)).toMatchObject({
      ...{ verdict, message: expect.stringMatching(/^the daemon may /) as string },
    });
  });

  test('that is lost at a boot has its own directory, which counts if there is no other', async () => {
    host.statuses = { '/proc/self/status': status('7\t7\t7\t7', 7, '8') };
    host.journals = { '/run/log/journal': 8 };
    expect(await look('journal')).toMatchObject({ verdict: 'ok' });
    host.journals[PERSISTENT] = 9;
    expect(await look('journal')).toMatchObject({ verdict: 'skipped' });
  });
});
