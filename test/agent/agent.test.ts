/** The loop, its memory and its end, with the outside in memory and in virtual time. */
import { describe, expect, test } from 'vitest';
import { Agent } from '../../src/agent/agent.ts';
import { Inbox } from '../../src/agent/inbox.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/core/time.ts';
import {
  AcceptingServices,
  MemoryStore,
  ObedientJobs,
  memoryLog,
  openGates,
  pass,
  recordingNotifier,
  virtualClock,
} from '../support/ports.ts';
import { definition, settings } from '../support/settings.ts';
import { VirtualTime } from '../support/virtual-time.ts';

function createParts(store = new MemoryStore()) {
  const time = new VirtualTime();
  const clock = virtualClock(time);
  const inbox = new Inbox(clock);
  const post = inbox.post.bind(inbox);
  const services = new AcceptingServices(time);
  const jobs = new ObedientJobs(post);
  const log = memoryLog();
  const notifier = recordingNotifier();
  const agent = new Agent({
    version: '0',
    pid: 1,
    settings: settings({ jobs: new Map([['copy', definition('copy')]]) }),
    clock,
    random: () => 0.5,
    inbox,
    store,
    gates: openGates(post),
    services,
    jobs,
    notifier,
    log,
    reload: () => Promise.resolve({ ok: true, words: '' }),
    nextStartMs: () => new Map(),
  });
  return { agent, inbox, jobs, log, notifier, services, store, time };
}

describe('a turn', () => {
  test('what is asked is on disk before it is done, and answered after', async () => {
    const { agent, jobs, store, time } = createParts();
    const ended = agent.run();
    const reply = agent.ask({ type: 'start', job: 'copy' });
    await pass(time, SECOND_MS);
    expect(await reply).toMatchObject({ ok: true, run: 'copy/1' });
    expect(store.committed[0]).toBe('copy/1 starting');
    expect(jobs.started).toEqual(['copy/1']);
    expect(
      await agent.ask({ type: 'start', job: 'nobody' }).finally(() => undefined),
    ).toMatchObject({
      ok: false,
      code: 'no-such-job',
    });
    agent.stop();
    await ended;
  });

  test('the first one waits for nothing, and then systemd is told that we are ready', async () => {
    const { agent, notifier, services, time } = createParts();
    const ended = agent.run();
    await pass(time, 0);
    expect(notifier.told[0]).toBe('ready');
    expect(services.calls[0]?.call.operation).toBe('GetHomeRegion');
    agent.stop();
    await ended;
    expect(notifier.told.at(-1)).toBe('stopping');
  });

  test('the watchdog is fed while nothing happens at all', async () => {
    const { agent, notifier, time } = createParts();
    const ended = agent.run();
    await pass(time, 10 * MINUTE_MS);
    expect(notifier.told.filter((word) => word === 'alive').length).toBeGreaterThanOrEqual(20);
    agent.stop();
    await ended;
  });
});

describe('P8 a full disk', () => {
  test('heartbeats go on and a cancel is obeyed; no start and no last word before it is on disk', async () => {
    const { agent, jobs, log, services, store, time } = createParts();
    const ended = agent.run();
    await Promise.all([agent.ask({ type: 'start', job: 'copy' }), pass(time, MINUTE_MS)]);
    store.isFull = true;
    const before = services.calls.length;
    await pass(time, 30 * MINUTE_MS);
    expect(services.calls.length - before).toBeGreaterThan(8);
    expect(log.lines.filter((line) => line.event === 'store.failing')).toHaveLength(1);

    const canceled = agent.ask({ type: 'cancel', job: 'copy', by: 'test' });
    await pass(time, 31 * MINUTE_MS);
    expect(jobs.signalled).toEqual(['copy/1 SIGTERM']);
    const told = () =>
      services.calls.map(({ call }) => call).filter((call) => 'stampS' in call && 'task' in call);
    expect(told().map((call) => call.status)).not.toContain('FAILED');

    store.isFull = false;
    await pass(time, 32 * MINUTE_MS);
    expect(await canceled).toMatchObject({ ok: true });
    expect(told().at(-1)).toMatchObject({ status: 'FAILED' });
    expect(store.committed.at(-1)).toBe('copy/1 canceled');
    expect(log.lines.map((line) => line.event)).toContain('store.recovered');
    agent.stop();
    await ended;
  });
});
