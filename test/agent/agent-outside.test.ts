/** What the agent asks of the parts around it, what it says of them, and how it ends. */
import { describe, expect, test } from 'vitest';
import type { AgentParts } from '../../src/agent/agent.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import type { Call } from '../../src/core/model/call.ts';
import { SHUTDOWN_MS_MAX } from '../../src/core/state/shutdown.ts';
import type { OperatorRequest } from '../../src/ports.ts';
import { aRun } from '../support/desk.ts';
import { AcceptingServices, MemoryStore, ObedientJobs, openGates, pass } from '../support/ports.ts';
import { PIPELINE, settings } from '../support/settings.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import { createParts } from './agent-parts.ts';
import type { Parts } from './agent-parts.ts';

/** Runs until `atMs`, then stops. Returns the exit code. */
async function live({ agent, time }: Parts, atMs = SECOND_MS): Promise<number> {
  const ended = agent.run();
  await pass(time, atMs);
  agent.stop();
  const [code] = await Promise.all([ended, pass(time, atMs + SHUTDOWN_MS_MAX)]);
  return code;
}

/** Gates that are as given, and otherwise open. */
const gatesWith = (over: Partial<AgentParts['gates']>): AgentParts['gates'] => ({
  ...openGates(() => undefined),
  ...over,
});

describe('the end', () => {
  test('each part is closed, one after the other, and waited for', async () => {
    const steps: string[] = [];
    const closing = (part: string) => async (): Promise<void> => {
      steps.push(`${part} closing`);
      for (let i = 0; i < 3; i++) await Promise.resolve();
      steps.push(`${part} closed`);
    };
    const time = new VirtualTime();
    const services = new AcceptingServices(time);
    services.close = () => void steps.push('services closed');
    const jobs = new ObedientJobs(() => undefined);
    jobs.close = closing('jobs');
    const store = new MemoryStore();
    store.saveGateLevels = () => void steps.push('levels saved');
    const parts = createParts(store, {
      ...{ services, jobs, gates: gatesWith({ close: closing('gates') }) },
      tracked: { watch: () => undefined, release: () => undefined, close: closing('tracked') },
    });
    expect(await live(parts)).toBe(0);
    expect(steps).toEqual([
      ...['levels saved', 'gates closing', 'gates closed', 'services closed'],
      ...['jobs closing', 'jobs closed', 'tracked closing', 'tracked closed'],
    ]);
  });

  test('systemd knows how long it may take, first with the shutdown reports and then without', async () => {
    const needed: number[] = [];
    const parts = createParts();
    parts.notifier.stopping = (ms) => void needed.push(ms);
    await live(parts);
    expect(needed).toEqual([15_000, 10_000]);
  });

  test('a request that nobody has answered by then is answered', async () => {
    const parts = createParts();
    const ended = parts.agent.run();
    await pass(parts.time, SECOND_MS);
    parts.agent.stop();
    // It arrives while the agent ends; the disk takes nothing, so that it is not answered in a turn.
    parts.store.isFull = true;
    const reply = parts.agent.ask({ type: 'start', job: 'copy' });
    await Promise.all([ended, pass(parts.time, 2 * SECOND_MS + SHUTDOWN_MS_MAX)]);
    expect(await reply).toEqual({
      ok: false,
      code: 'conflict',
      message: 'the agent is stopping',
    });
  });
});

describe('systemd is notified', () => {
  test('once that the agent is ready, and of a line about its state', async () => {
    const parts = createParts();
    const lines: string[] = [];
    parts.notifier.status = (line) => void lines.push(line);
    await live(parts, 30 * SECOND_MS);
    expect(parts.notifier.notified.filter((what) => what === 'ready')).toHaveLength(1);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/\w/);
  });
});

describe('a start is announced to the host', () => {
  test.each<[OperatorRequest, number]>([
    [{ type: 'start', job: 'copy' }, 1],
    [{ type: 'submit', definition: aRun().definition }, 1],
    [{ type: 'drain' }, 0],
  ])('if the request is one: $type', (request, expected) => {
    const jobs = new ObedientJobs(() => undefined);
    let announced = 0;
    Object.assign(jobs, { expectStart: () => (announced += 1) });
    const { agent } = createParts(undefined, { jobs });
    expect(agent.ask(request)).toBeInstanceOf(Promise);
    expect(announced).toBe(expected);
  });
});

describe('problems', () => {
  test('of each part are shown, in the status and in the log once each time', async () => {
    let problems = ['the gates are stuck'];
    const store = new MemoryStore();
    Object.assign(store, { problems: () => ['a row was damaged'] });
    const jobs = new ObedientJobs(() => undefined);
    Object.assign(jobs, { problems: () => ['no control groups'] });
    const parts = createParts(store, { jobs, gates: gatesWith({ problems: () => problems }) });
    expect(parts.agent.status().agent.problems).toEqual([
      ...['a row was damaged', 'the gates are stuck', 'no control groups'],
    ]);
    const ended = parts.agent.run();
    const health = () =>
      parts.log.lines.filter(({ event }) => /^agent\.(?:degraded|healthy)$/.test(event));
    await pass(parts.time, 30 * SECOND_MS);
    expect(health()).toEqual([{ level: 'warn', event: 'agent.degraded' }]);
    problems = [];
    Object.assign(store, { problems: () => [] });
    Object.assign(jobs, { problems: undefined });
    await pass(parts.time, MINUTE_MS);
    expect(health()).toEqual([
      { level: 'warn', event: 'agent.degraded' },
      { level: 'info', event: 'agent.healthy' },
    ]);
    parts.agent.stop();
    await Promise.all([ended, pass(parts.time, MINUTE_MS + SHUTDOWN_MS_MAX)]);
  });

  test('a full disk is one, with what to do', async () => {
    const parts = createParts();
    const ended = parts.agent.run();
    await pass(parts.time, SECOND_MS);
    parts.store.isFull = true;
    const reply = parts.agent.ask({ type: 'start', job: 'copy' });
    await pass(parts.time, 2 * SECOND_MS);
    expect(parts.agent.status().agent.problems).toEqual([
      'the state cannot be written, jobs continue: database or disk is full; free space or repair the disk',
    ]);
    parts.store.isFull = false;
    await pass(parts.time, 10 * SECOND_MS);
    expect(await reply).toMatchObject({ ok: true });
    expect(parts.agent.status().agent.problems).toEqual([]);
    parts.agent.stop();
    await Promise.all([ended, pass(parts.time, MINUTE_MS)]);
  });

  test.each([
    [1, '(copy/1)'],
    [5, '(copy/1, copy/2, copy/3, copy/4, copy/5)'],
    [7, '(copy/1, copy/2, copy/3, copy/4, copy/5 and 2 more)'],
  ])('%i runs that the store had lost are named, five at most', (count, names) => {
    const jobs = new ObedientJobs(() => undefined);
    const runs = Array.from({ length: count }, (_, i) => ({
      run: aRun({ number: i + 1 }),
      isOfThisBoot: true,
    }));
    Object.assign(jobs, { unrecorded: () => runs });
    const { agent } = createParts(undefined, { jobs });
    const [problem, ...others] = agent.status().agent.problems;
    expect(problem).toContain(names);
    expect(others).toEqual([]);
  });

  test('the host is asked for runs that the store does not have', () => {
    const known = aRun();
    const store = new MemoryStore();
    store.commit({
      ...{ runs: [known], hubTasks: [], droppedRuns: [], droppedHubTasks: [], events: [] },
    });
    const jobs = new ObedientJobs(() => undefined);
    const asked: boolean[] = [];
    Object.assign(jobs, {
      unrecorded: (isKnown: (id: string) => boolean) => {
        asked.push(isKnown(known.id), isKnown('copy/2'));
        return [];
      },
    });
    createParts(store, { jobs });
    expect(asked).toEqual([true, false]);
  });
});

describe('who watches', () => {
  test('sees each event of the timeline, and nothing that is only logged, until it has seen enough', async () => {
    const { agent, services, time } = createParts();
    const seen: string[] = [];
    const end = agent.watch(({ event, job, run }) => seen.push(`${job} ${run} ${event}`));
    const ended = agent.run();
    await Promise.all([agent.ask({ type: 'start', job: 'copy' }), pass(time, MINUTE_MS)]);
    expect(seen).toContain('copy copy/1 job.started');
    const accepted = services.calls.filter(
      ({ call }) => call.operation === 'NotifyMigrationTaskState',
    );
    expect(accepted.length).toBeGreaterThan(0);
    expect(seen.join()).not.toContain('report.accepted');
    expect(agent.reports('copy')).not.toEqual([]);
    end();
    const count = seen.length;
    await Promise.all([
      agent.ask({ type: 'cancel', job: 'copy', by: 'anna' }),
      pass(time, 2 * MINUTE_MS),
    ]);
    expect(seen).toHaveLength(count);
    agent.stop();
    await Promise.all([ended, pass(time, 3 * MINUTE_MS)]);
  });
});

describe('what an operator reads', () => {
  test('of the agent itself: version, process, start, levels, credentials', async () => {
    const time = new VirtualTime();
    const services = Object.assign(new AcceptingServices(time), {
      credentialsExpireAtMs: () => Date.UTC(2026, 5, 1),
    });
    const levels = new Map([['PollForTask', 3]] as const);
    const parts = createParts(
      undefined,
      { services, version: '1.2', pid: 7, gates: gatesWith({ levels: () => levels }) },
      time,
    );
    await live(parts, 5 * SECOND_MS);
    const { agent } = parts;
    expect(agent.agent()).toEqual(agent.status().agent);
    expect(agent.agent()).toMatchObject({ version: '1.2', pid: 7 });
    expect(JSON.stringify(agent.agent())).toContain('2026-06-01T00:00:00.000Z');
    expect(agent.budgets().find(({ operation }) => operation === 'PollForTask')).toMatchObject({
      available: 3,
    });
  });

  test('of a job: in short, in full with its log, and nothing of one that is unknown', async () => {
    const jobs = new ObedientJobs(() => undefined);
    const logs = { stdout: '/o', stderr: '/e' };
    Object.assign(jobs, {
      ownUser: 'agent',
      logs(this: unknown, job: string, run: number) {
        expect([this, job, run]).toEqual([jobs, 'copy', 1]);
        return logs;
      },
    });
    const parts = createParts(undefined, { jobs });
    const { agent, time } = parts;
    const ended = agent.run();
    await Promise.all([agent.ask({ type: 'start', job: 'copy' }), pass(time, MINUTE_MS)]);
    expect(agent.jobNames()).toEqual(['copy']);
    expect(agent.job('copy')).toMatchObject({ name: 'copy', run: 1 });
    expect(agent.jobDetail('copy')).toMatchObject({ name: 'copy' });
    expect(JSON.stringify(agent.jobDetail('copy'))).toContain('/o');
    expect([agent.job('nobody'), agent.jobDetail('nobody')]).toEqual([undefined, undefined]);
    agent.stop();
    await Promise.all([ended, pass(time, 2 * MINUTE_MS)]);
  });

  test('a job’s timeline and outbox come from where they are kept', () => {
    const store = new MemoryStore();
    const entry = { at: { wallMs: 0, bootMs: 0 }, event: 'job.started', fields: {} };
    const asked: unknown[] = [];
    Object.assign(store, {
      timeline: (...given: unknown[]) => {
        asked.push(given);
        return [entry];
      },
    });
    const { agent } = createParts(store);
    expect(agent.timeline('copy', 5)).toEqual([entry]);
    expect(asked).toEqual([['copy', 5]]);
    expect(agent.outbox()).toEqual([]);
  });
});

test('a new configuration that was rejected is a problem in one sentence, and the reply is what reload says', async () => {
  const rejected = { ok: false, code: 'invalid', message: 'a.yaml:3:1 jobs: is empty' } as const;
  const { agent } = createParts(undefined, { reload: () => Promise.resolve(rejected) });
  expect(await agent.reload()).toBe(rejected);
  expect(agent.status().agent.problems).toEqual([
    'the new configuration was rejected, the old one is in force: a.yaml:3:1 jobs: is empty',
  ]);
});

describe('the name of the task runner', () => {
  test.each([
    [0.5, 'test-host-7fffffff'],
    [0, 'test-host-00000000'],
  ])('is the host’s name with eight digits of chance: %d', (dice, name) => {
    const { agent } = createParts(undefined, { random: () => dice });
    expect(agent.status().agent.taskRunnerId).toBe(name);
  });
});

test('an agent that the service terminates ends with its exit code', async () => {
  const { migrationHub, ...rest } = settings();
  expect(migrationHub).toBeDefined();
  const parts = createParts(undefined, {
    settings: { ...rest, dataPipeline: { ...PIPELINE, workerGroups: [] } },
  });
  parts.services.answer = (call: Call) =>
    call.operation === 'ReportTaskRunnerHeartbeat'
      ? { kind: 'accepted', answer: { terminate: true } }
      : undefined;
  const [code] = await Promise.all([parts.agent.run(), pass(parts.time, 2 * MINUTE_MS)]);
  expect(code).toBe(75);
});
