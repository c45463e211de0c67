/** What is printed while a command waits for a run, and when it stops. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client } from '../../../src/cli/client/client.ts';
import { NoDaemon } from '../../../src/cli/client/client.ts';
import {
  hasEnded,
  isSettled,
  runNumber,
  waitForJob,
} from '../../../src/cli/client/wait-for-run.ts';
import type { JobStatus } from '../../../src/core/model/status.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';
import { Collector } from '../terminal-in-memory.ts';

vi.mock(import('node:timers/promises'), async (original) => ({
  ...(await original()),
  setTimeout: (() => Promise.resolve()) as never,
}));
vi.mock(import('../../../src/cli/client/job-changes.ts'), async (original) => ({
  ...(await original()),
  JobChanges: class {
    next = () => Promise.resolve();
    close = () => void (closed += 1);
  } as never,
}));

let closed: number;
let looks: (JobStatus | Error)[];
let stderr: Collector;

beforeEach(() => {
  closed = 0;
  stderr = new Collector(undefined);
});

function wait(run?: number): Promise<JobStatus> {
  const client = {
    get: () => {
      const look = looks.shift() ?? new Error('one look too many');
      return look instanceof Error ? Promise.reject(look) : Promise.resolve(look);
    },
  } as unknown as Client;
  const terminal = { stderr } as never;
  return waitForJob({ client, terminal, job: 'copy', run, until: hasEnded });
}

const job = (rest: Partial<JobStatus>): JobStatus => jobNamed('copy', { run: 2, ...rest });
const away = new NoDaemon('away', undefined);

test('each change is printed once, with the reason of an end and what still delays its delivery', async () => {
  const migrationHub = { task: 't', delivery: 'pending', reason: 'throttled' } as const;
  const dataPipeline = { taskId: 't', delivery: 'delivered', reason: 'late' } as const;
  const destinations = { migrationHub, dataPipeline } as unknown as JobStatus['destinations'];
  looks = [
    job({ state: 'running', reason: 'unused', destinations }),
    job({ state: 'running', destinations }),
    job({ state: 'failed', reason: 'exit code 3\u0007', destinations }),
  ];
  expect(await wait()).toMatchObject({ state: 'failed' });
  expect(stderr.text.split('\n')).toEqual([
    'copy/2: running',
    'copy/2: failed: exit code 3; not delivered to migrationHub yet: throttled',
    '',
  ]);
  expect(closed).toBe(1);
});

describe('a later run', () => {
  test('is not the one that is waited for: what became of that is unknown', async () => {
    looks = [job({ state: 'running' }), job({ run: 3, state: 'running' })];
    await expect(wait()).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringContaining('copy/2 was followed by copy/3') as string,
    });
    expect(closed).toBe(1);
    looks = [job({ run: 1, state: 'running' }), job({ state: 'succeeded' })];
    expect(await wait(2)).toMatchObject({ run: 2, state: 'succeeded' });
  });
});

describe('an agent that is away', () => {
  test('is waited for if it was there once, and that is printed once', async () => {
    looks = [job({ state: 'running' }), away, away, job({ state: 'succeeded' })];
    expect(await wait()).toMatchObject({ state: 'succeeded' });
    expect(stderr.text.split('\n')).toEqual([
      'copy/2: running',
      'the agent does not answer; waiting for it to come back',
      'copy/2: succeeded',
      '',
    ]);
  });

  test('from the first look on is an error at once', async () => {
    looks = [away];
    await expect(wait()).rejects.toBe(away);
  });

  test('for longer than two minutes is one, too', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    try {
      looks = [job({ state: 'running' }), away, away];
      const times = [0, 0, 120_000, 120_001];
      now.mockImplementation(() => times.shift() ?? 120_001);
      await expect(wait()).rejects.toBe(away);
      expect(looks).toEqual([]);
    } finally {
      now.mockRestore();
    }
  });

  test('another failure ends the wait', async () => {
    looks = [job({ state: 'running' }), new Error('no such job')];
    await expect(wait()).rejects.toThrow('no such job');
  });
});

test('a job without a run has its name alone', async () => {
  looks = [jobNamed('copy'), job({ state: 'succeeded' })];
  await wait();
  expect(stderr.text).toBe('copy: idle\ncopy/2: succeeded\n');
});

test.each<[string | undefined, number | undefined]>([
  ['copy/2', 2],
  ['a/b/17', 17],
  ['copy/0', undefined],
  ['copy/-1', undefined],
  ['copy/1.5', undefined],
  ['copy', undefined],
  [undefined, undefined],
])('the number of %s is %s', (run, number) => {
  expect(runNumber(run)).toBe(number);
});

test('delivered is what no destination still waits for', () => {
  const of = (hub?: string, pipeline?: string): boolean =>
    isSettled({
      destinations: { migrationHub: { delivery: hub }, dataPipeline: { delivery: pipeline } },
    } as never);
  expect([of(), of('delivered', 'refused'), of('withheld', 'delivered')]).toEqual([
    true,
    true,
    true,
  ]);
  expect([of('pending', 'delivered'), of('delivered', 'pending')]).toEqual([false, false]);
  expect(isSettled(jobNamed('copy'))).toBe(true);
});
