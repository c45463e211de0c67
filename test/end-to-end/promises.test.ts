/**
 * The promises of src/README.md, kept by the real daemon with real processes against the simulator over HTTP. The
 * simulator's audit, which shares no code with the agent, checks what AWS received.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createSite, isDelivered } from '../support/daemon.ts';
import type { Site } from '../support/daemon.ts';
import { until } from '../support/until.ts';

const HUB = 'migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s }';

let site: Site;
afterEach(async () => {
  await site.close();
});

function operations(): string[] {
  return site.simulator.journal().map((entry) => entry.operation);
}

function hubTask(name: string) {
  return site.simulator.audit().migrationHub.tasks.find((task) => task.task === name);
}

/** Processes of this test: those whose command line or environment names its directory. */
function leftovers(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.[0];
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        const isOurs = environment.includes(`MIGRATION_AGENT_SOCKET=${site.directory}`);
        return isOurs && state !== 'Z' ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
      } catch {
        return [];
      }
    });
}

describe('P1 never stale', () => {
  test('short promises are kept through an outage that is shorter than their slack', async () => {
    site = await createSite(`
migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 8s }
jobs:
  long: { command: [sleep, '14'] }
`);
    await site.start();
    await site.client.post('/v1/jobs/long/start');
    await until('the task is told', () => hubTask('long')?.status === 'IN_PROGRESS');
    site.simulator.addFault({ operation: '*', fault: 'drop', from: '2s', for: '2s' });
    await site.untilJob('long', isDelivered);
    expect(hubTask('long')).toMatchObject({ status: 'COMPLETED', percent: 100, staleSeconds: 0 });
    expect(hubTask('long')?.updates).toBeGreaterThanOrEqual(4);
    expect(site.simulator.audit().violations).toEqual([]);
  });
});

describe('P2 never disowned', () => {
  test('the acknowledgement is accepted before the job starts', async () => {
    site = await createSite(`${HUB}
dataPipeline:
  workerGroups: [wg]
  activities: [{ match: { name: Copy }, job: copy }]
jobs:
  copy: { command: [sh, -c, 'date +%s%3N > DIRECTORY/started'] }
`);
    // The first acknowledgement is lost on its way: the job must wait for the second.
    site.simulator.addFault({ operation: 'ReportTaskProgress', fault: 'drop', count: 1 });
    await site.start();
    site.simulator.submitShellActivity({ name: 'Copy', workerGroup: 'wg', command: 'unused' });
    await site.untilJob('copy', isDelivered);
    const reports = site.simulator.journal().filter((e) => e.operation === 'ReportTaskProgress');
    expect(reports.length).toBeGreaterThanOrEqual(2);
    const startedAtMs = Number(readFileSync(join(site.directory, 'started'), 'utf8'));
    const events = (
      await site.client.get<{ events: { event: string; at: string }[] }>('/v1/jobs/copy/events')
    ).events;
    const acknowledged = events.find((entry) => entry.event === 'lease.acknowledged');
    expect(Date.parse(acknowledged?.at ?? '')).toBeLessThanOrEqual(startedAtMs);
    expect(operations().indexOf('SetTaskStatus')).toBeGreaterThan(0);
    expect(site.simulator.audit().violations).toEqual([]);
    expect(site.simulator.audit().dataPipeline.ended).toMatchObject({ FINISHED: 1 });
  });
});

describe('P4 cancel means gone', () => {
  test('a tree with a setsid child, an orphan and one deaf to SIGTERM is gone; FAILED, no SetTaskStatus', async () => {
    site = await createSite(`${HUB}
dataPipeline:
  workerGroups: [wg]
  reportEvery: 1s
  activities: [{ match: { name: Copy }, job: tree }]
jobs:
  tree:
    command: [sh, -c, 'setsid sleep 300 & (setsid sh -c "trap : TERM; while :; do sleep 1; done" &) ; (sleep 300 &) ; trap "" TERM; echo up; while :; do sleep 1; done']
    stop: { grace: 2s }
`);
    await site.start();
    const { pipelineId } = site.simulator.submitShellActivity({
      name: 'Copy',
      workerGroup: 'wg',
      command: 'unused',
    });
    await site.untilJob('tree', (job) => job.state === 'running');
    await until('the whole tree is up', () => leftovers().length >= 5);
    site.simulator.cancel(pipelineId);
    const job = await site.untilJob('tree', isDelivered);
    expect(job).toMatchObject({ state: 'canceled' });
    expect(job.cancelIncomplete).toBeUndefined();
    expect(leftovers()).toEqual([]);
    expect(hubTask('tree')).toMatchObject({ status: 'FAILED' });
    expect(hubTask('tree')?.detail).toMatch(/canceled/);
    expect(operations()).not.toContain('SetTaskStatus');
    expect(site.simulator.audit().violations).toEqual([]);
  });
});

describe('P5 the last word arrives', () => {
  test('kill -9 of the agent, the job ends meanwhile, AWS away: its exit code is told once', async () => {
    site = await createSite(`${HUB}
dataPipeline:
  workerGroups: [wg]
  activities: [{ match: { name: Copy }, job: copy }]
jobs:
  copy: { command: [sh, -c, 'while [ ! -e DIRECTORY/go ]; do sleep 0.05; done; echo broken disk >&2; exit 42'] }
`);
    const first = await site.start();
    site.simulator.submitShellActivity({
      name: 'Copy',
      workerGroup: 'wg',
      command: 'unused',
      fields: { maximumRetries: '0' },
    });
    await site.untilJob('copy', (job) => job.state === 'running');
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    site.simulator.addFault({ operation: '*', fault: 'drop', for: '3s' });
    writeFileSync(join(site.directory, 'go'), '');
    await until('the job has ended', () => leftovers().length === 0);

    const second = await site.start();
    await site.untilJob('copy', (job) => job.state === 'failed');
    expect(await second.end('SIGKILL')).toBe('SIGKILL');
    await site.start();
    const job = await site.untilJob('copy', isDelivered);
    expect(job).toMatchObject({ state: 'failed', exitCode: 42, run: 1 });
    expect(hubTask('copy')).toMatchObject({
      status: 'FAILED',
      detail: 'failed: exit code 42: broken disk',
      afterFinal: 0,
    });
    expect(site.simulator.audit().dataPipeline.ended).toMatchObject({ FAILED: 1 });
    expect(site.simulator.audit().violations).toEqual([]);
  });

  test('kill -9 at random moments: every exit code right, every last word told, nothing started twice', async () => {
    const jobs = Array.from(
      { length: 12 },
      (_, i) =>
        `  j${i}: { command: [sh, -c, 'echo $$ >> DIRECTORY/starts-${i}; sleep 0.$((RANDOM % 8 + 1)); exit ${i % 3}'] }`,
    );
    site = await createSite(`
migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s, rate: { perSecond: 50, burst: 50 } }
jobs:
${jobs.join('\n')}
`);
    let daemon = await site.start();
    for (let i = 0; i < 12; i++) {
      await site.client.post(`/v1/jobs/j${i}/start`);
      if (i % 2 === 1) {
        await daemon.end('SIGKILL');
        daemon = await site.start();
      }
    }
    for (let i = 0; i < 12; i++) {
      const job = await site.untilJob(`j${i}`, isDelivered);
      expect(job).toMatchObject({ exitCode: i % 3, run: 1 });
      expect(
        readFileSync(join(site.directory, `starts-${i}`), 'utf8')
          .trim()
          .split('\n'),
      ).toHaveLength(1);
      expect(hubTask(`j${i}`)).toMatchObject({ status: i % 3 === 0 ? 'COMPLETED' : 'FAILED' });
    }
    expect(site.simulator.audit().violations).toEqual([]);
    expect(leftovers()).toEqual([]);
  });
});

describe('P6 under the limit', () => {
  test('a burst of jobs, and an agent that is killed in the middle of it, stay under a tiny limit', async () => {
    const tiny = { perSecond: 1, burst: 20 };
    const jobs = Array.from({ length: 24 }, (_, i) => `  j${i}: { command: [sh, -c, 'exit 0'] }`);
    site = await createSite(
      `
migrationHub: { progressUpdateStream: test, createStream: true, nextUpdate: 60s, rate: { perSecond: 50, burst: 50 }, rates: { ImportMigrationTask: { perSecond: 1, burst: 20 } } }
jobs:
${jobs.join('\n')}
`,
      {
        limits: {
          ImportMigrationTask: tiny,
        },
      },
    );
    const first = await site.start();
    for (let i = 0; i < 24; i++) await site.client.post(`/v1/jobs/j${i}/start`);
    await until(
      'the burst is spent',
      () => operations().filter((o) => o === 'ImportMigrationTask').length >= 18,
    );
    await first.end('SIGKILL');
    await site.start();
    for (let i = 0; i < 24; i++) await site.untilJob(`j${i}`, isDelivered);
    const { operations: calls, overLimit } = site.simulator.audit();
    expect(overLimit).toBe(0);
    expect(JSON.stringify(calls)).not.toMatch(/"throttled":[1-9]/);
  });
});

describe('P9 nothing runs that the host did not allow', () => {
  test('shell text of the pipeline is refused with its reason, and never run', async () => {
    site = await createSite(`${HUB}
dataPipeline: { workerGroups: [wg], activities: [] }
`);
    await site.start();
    site.simulator.submitShellActivity({
      name: 'Evil',
      workerGroup: 'wg',
      command: `touch ${site.directory}/evil`,
      fields: { maximumRetries: '0' },
    });
    await until('the task is failed', () => operations().includes('SetTaskStatus'));
    await until('it is accepted', () => site.simulator.audit().dataPipeline.ended['FAILED'] === 1);
    expect(existsSync(join(site.directory, 'evil'))).toBe(false);
  });

  test('a secret that a job prints reaches neither AWS nor the log', async () => {
    site = await createSite(`${HUB}
jobs:
  leak: { command: [sh, -c, 'echo postgres://admin:hunter2@db/orders refused >&2; exit 1'] }
`);
    await site.start();
    await site.client.post('/v1/jobs/leak/start');
    await site.untilJob('leak', isDelivered);
    expect(hubTask('leak')?.detail).toContain('refused');
    expect(hubTask('leak')?.detail).not.toContain('hunter2');
    expect(JSON.stringify(site.log())).not.toContain('hunter2');
  });
});
