/** The loop, its memory and its end, with the ports in memory and in virtual time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Reply } from '../../src/core/model/action.ts';
import type { Call } from '../../src/core/model/call.ts';
import { SHUTDOWN_MS_MAX } from '../../src/core/state/shutdown.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { openStore } from '../../src/store/store.ts';
import type { SqliteStore } from '../../src/store/store.ts';
import { MemoryStore, memoryLog, openGates, pass, virtualClock } from '../support/ports.ts';
import { HUB, settings } from '../support/settings.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import { createParts } from './agent-parts.ts';
import type { Parts } from './agent-parts.ts';

/** Commits, actions and answers, in one order. */
function follow({ jobs, services, store }: Parts): string[] {
  const story: string[] = [];
  const commit = store.commit.bind(store);
  store.commit = (changes) => {
    commit(changes);
    for (const run of changes.runs) story.push(`disk ${run.id} ${run.state}`);
  };
  const begin = jobs.start.bind(jobs);
  jobs.start = (run) => {
    story.push(`start ${run.id}`);
    begin(run);
  };
  services.answer = (call) => {
    if (call.operation === 'NotifyMigrationTaskState') story.push(`say ${call.status}`);
    return undefined;
  };
  return story;
}

function notifies({ services }: Parts): { readonly call: Call; readonly atMs: number }[] {
  return services.calls.filter(({ call }) => call.operation === 'NotifyMigrationTaskState');
}

describe('a turn', () => {
  test('a request is on disk before it has an effect, and is answered afterwards', async () => {
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

  test('the first turn waits for nothing, and then systemd is notified that the agent is ready', async () => {
    const { agent, notifier, services, time } = createParts();
    const ended = agent.run();
    await pass(time, 0);
    expect(notifier.notified[0]).toBe('ready');
    expect(services.calls[0]?.call.operation).toBe('GetHomeRegion');
    agent.stop();
    await ended;
    expect(notifier.notified.at(-1)).toBe('stopping');
  });

  test('the watchdog is notified while nothing happens', async () => {
    const { agent, notifier, time } = createParts();
    const ended = agent.run();
    await pass(time, 10 * MINUTE_MS);
    expect(notifier.notified.filter((word) => word === 'alive').length).toBeGreaterThanOrEqual(20);
    agent.stop();
    await ended;
  });

  test('a start and a final report are on disk before they have any effect', async () => {
    const parts = createParts();
    const story = follow(parts);
    const ended = parts.agent.run();
    await Promise.all([
      parts.agent.ask({ type: 'start', job: 'copy' }),
      pass(parts.time, MINUTE_MS),
    ]);
    parts.jobs.end('copy/1', 3);
    await pass(parts.time, 2 * MINUTE_MS);
    const places = ['disk copy/1 starting', 'start copy/1', 'disk copy/1 failed', 'say FAILED'].map(
      (what) => story.indexOf(what),
    );
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    parts.agent.stop();
    await ended;
  });

  test('a call that fails in a port is not lost: it is made again', async () => {
    const parts = createParts();
    const send = parts.services.send.bind(parts.services);
    let faults = 3;
    parts.services.send = (call) =>
      faults-- > 0 ? Promise.reject(new Error('no such thing')) : send(call);
    const ended = parts.agent.run();
    await Promise.all([
      parts.agent.ask({ type: 'start', job: 'copy' }),
      pass(parts.time, MINUTE_MS),
    ]);
    expect(notifies(parts).length).toBeGreaterThan(0);
    parts.agent.stop();
    await ended;
  });

  test('a slow answer does not make the next report late', async () => {
    const parts = createParts();
    const { agent, services, time } = parts;
    const send = services.send.bind(services);
    services.send = (call) =>
      call.operation === 'NotifyMigrationTaskState'
        ? new Promise((resolve) => {
            const answer = send(call);
            time.in(100 * SECOND_MS, () => resolve(answer));
          })
        : send(call);
    const ended = agent.run();
    await Promise.all([agent.ask({ type: 'start', job: 'copy' }), pass(time, HOUR_MS)]);
    const times = notifies(parts).map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThan(20);
    for (const [i, at] of times.slice(1).entries()) {
      // Half of five minutes, and with the average jitter a twentieth earlier.
      expect(Math.abs(at - times[i]! - 142.5 * SECOND_MS)).toBeLessThan(SECOND_MS);
    }
    agent.stop();
    await Promise.all([ended, pass(time, HOUR_MS + SHUTDOWN_MS_MAX)]);
  });
});

describe('P8 a full disk', () => {
  test('heartbeats go on and a cancel is carried out; no start and no final report before it is on disk', async () => {
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
    const reports = () =>
      services.calls.map(({ call }) => call).filter((call) => 'stampS' in call && 'task' in call);
    expect(reports().map((call) => call.status)).not.toContain('FAILED');

    expect(await canceled).toMatchObject({ ok: false, code: 'unavailable' });

    store.isFull = false;
    await pass(time, 32 * MINUTE_MS);
    expect(reports().at(-1)).toMatchObject({ status: 'FAILED' });
    expect(store.committed.at(-1)).toBe('copy/1 canceled');
    expect(log.lines.map((line) => line.event)).toContain('store.recovered');
    agent.stop();
    await ended;
  });

  test('a start is not made, and promised by no reply, before it is on disk; nobody waits for that for ever', async () => {
    const parts = createParts();
    const { agent, jobs, store, time } = parts;
    const ended = agent.run();
    await pass(time, MINUTE_MS);
    store.isFull = true;
    const replies: Reply[] = [];
    const ask = (): unknown =>
      agent.ask({ type: 'start', job: 'copy' }).then((reply) => replies.push(reply));
    ask();
    await pass(time, MINUTE_MS + 5 * SECOND_MS);
    expect(replies).toEqual([]);
    await pass(time, 10 * MINUTE_MS);
    expect(jobs.started).toEqual([]);
    expect(replies).toMatchObject([{ ok: false, code: 'unavailable' }]);
    expect(replies[0]?.message).toMatch(
      /^the state cannot be written \(database or disk is full\), so the request is not on disk: /,
    );
    // A refusal promises nothing, and comes at once.
    ask();
    await pass(time, 10 * MINUTE_MS + SECOND_MS);
    expect(replies[1]).toMatchObject({ ok: false, code: 'conflict' });
    store.isFull = false;
    // The agent retries the commit every five seconds; nothing else happens here.
    await pass(time, 10 * MINUTE_MS + 7 * SECOND_MS);
    expect(jobs.started).toEqual(['copy/1']);
    expect(store.committed[0]).toBe('copy/1 starting');
    expect(replies).toHaveLength(2);
    expect(agent.status().agent.problems).toEqual([]);
    agent.stop();
    await ended;
  });

  test('a disk that refuses for a moment only delays the reply', async () => {
    const { agent, store, time } = createParts();
    const ended = agent.run();
    await pass(time, MINUTE_MS);
    store.isFull = true;
    const reply = agent.ask({ type: 'start', job: 'copy' });
    await pass(time, MINUTE_MS + 3 * SECOND_MS);
    store.isFull = false;
    await pass(time, MINUTE_MS + 12 * SECOND_MS);
    expect(await reply).toMatchObject({ ok: true });
    agent.stop();
    await ended;
  });
});

describe('P4 cancel means gone', () => {
  async function canceling(parts: Parts, survivors: () => readonly number[], reason?: string) {
    const { agent, inbox, jobs, time } = parts;
    jobs.checkTree = (run) =>
      inbox.post({
        type: 'tree-checked',
        run: run.id,
        survivors: survivors(),
        ...(reason === undefined ? {} : { reason }),
      });
    const ended = agent.run();
    await Promise.all([agent.ask({ type: 'start', job: 'copy' }), pass(time, MINUTE_MS)]);
    await Promise.all([
      agent.ask({ type: 'cancel', job: 'copy', by: 'test' }),
      pass(time, MINUTE_MS),
    ]);
    return async () => {
      agent.stop();
      await ended;
    };
  }

  test('a run has not ended while a process of its tree is alive, even if its leader has', async () => {
    const parts = createParts();
    let survivors = [42];
    const end = await canceling(parts, () => survivors);
    parts.jobs.end('copy/1', 143);
    await pass(parts.time, MINUTE_MS + 10 * SECOND_MS);
    expect(parts.agent.status().jobs[0]).toMatchObject({ state: 'canceling' });
    expect(notifies(parts).map(({ call }) => 'status' in call && call.status)).not.toContain(
      'FAILED',
    );
    survivors = [];
    await pass(parts.time, MINUTE_MS + 20 * SECOND_MS);
    expect(parts.agent.status().jobs[0]).toMatchObject({ state: 'canceled' });
    expect(parts.jobs.signalled).toEqual(['copy/1 SIGTERM']);
    await end();
  });

  test('a tree that ignores SIGTERM gets SIGKILL after its grace, until no process is left', async () => {
    const parts = createParts();
    const end = await canceling(parts, () => (parts.jobs.signalled.length < 4 ? [42] : []));
    await pass(parts.time, MINUTE_MS + 29 * SECOND_MS);
    expect(parts.jobs.signalled).toEqual(['copy/1 SIGTERM']);
    await pass(parts.time, MINUTE_MS + 35 * SECOND_MS);
    expect(parts.jobs.signalled).toEqual([
      'copy/1 SIGTERM',
      ...Array<string>(3).fill('copy/1 SIGKILL'),
    ]);
    const [job] = parts.agent.status().jobs;
    expect(job).toMatchObject({ state: 'canceled' });
    expect(job?.cancelIncomplete).toBeUndefined();
    await end();
  });

  test('a process that outlives SIGKILL is shown as cancel incomplete', async () => {
    const parts = createParts();
    const end = await canceling(parts, () => [42]);
    await pass(parts.time, MINUTE_MS + 45 * SECOND_MS);
    expect(parts.agent.status().jobs[0]).toMatchObject({
      state: 'canceled',
      cancelIncomplete: true,
    });
    await end();
  });

  test('processes that may be of the tree, and may never be seen, end a cancel with the reason', async () => {
    const parts = createParts();
    const reason = 'process 42 does not show its environment';
    const end = await canceling(parts, () => [42], reason);
    await pass(parts.time, MINUTE_MS + 45 * SECOND_MS);
    expect(parts.agent.status().jobs[0]).toMatchObject({
      state: 'canceled',
      cancelIncomplete: true,
      survivors: [42],
      reason: expect.stringContaining(reason) as string,
    });
    await end();
  });
});

describe('a planned stop', () => {
  test('systemd is notified that the agent stops; the promise is stretched, then the agent ends at once', async () => {
    const parts = createParts();
    const { agent, notifier, time } = parts;
    const ended = agent.run();
    await Promise.all([agent.ask({ type: 'start', job: 'copy' }), pass(time, MINUTE_MS)]);
    agent.stop();
    expect(notifier.notified.at(-1)).toBe('stopping');
    await ended;
    expect(time.now().bootMs).toBe(MINUTE_MS);
    expect(notifies(parts).map(({ call }) => 'nextUpdateS' in call && call.nextUpdateS)).toEqual([
      300, 3600,
    ]);
  });

  test('services that do not answer delay it by five seconds at most', async () => {
    const parts = createParts();
    const { agent, services, time } = parts;
    const ended = agent.run();
    await Promise.all([agent.ask({ type: 'start', job: 'copy' }), pass(time, MINUTE_MS)]);
    services.send = () => new Promise(() => undefined);
    agent.stop();
    let isOver = false;
    const noted = ended.finally(() => (isOver = true));
    await pass(time, MINUTE_MS + SHUTDOWN_MS_MAX - 1);
    expect(isOver).toBe(false);
    await Promise.all([noted, pass(time, MINUTE_MS + SHUTDOWN_MS_MAX)]);
    expect(isOver).toBe(true);
  });
});

describe('P7 jobs outlive the agent', () => {
  test('the next agent adopts running jobs and reports how they end', async () => {
    const first = createParts();
    const firstEnded = first.agent.run();
    await Promise.all([
      first.agent.ask({ type: 'start', job: 'copy' }),
      pass(first.time, MINUTE_MS),
    ]);
    first.agent.stop();
    await firstEnded;

    const second = createParts(first.store);
    const adopted: string[] = [];
    second.jobs.adopt = (run) => {
      adopted.push(run.id);
      second.inbox.post({ type: 'run-exited', run: run.id, exitCode: 7 });
    };
    const secondEnded = second.agent.run();
    await pass(second.time, MINUTE_MS);
    expect(adopted).toEqual(['copy/1']);
    expect(second.jobs.started).toEqual([]);
    expect(second.agent.status().jobs[0]).toMatchObject({ run: 1, state: 'failed', exitCode: 7 });
    second.agent.stop();
    await secondEnded;
  });

  test('a start that was decided but not made is made by the next agent, with a start lock of its own', async () => {
    const first = createParts();
    // The agent dies between its commit and the start.
    first.jobs.start = () => undefined;
    const firstEnded = first.agent.run();
    await Promise.all([
      first.agent.ask({ type: 'start', job: 'copy' }),
      pass(first.time, SECOND_MS),
    ]);
    first.agent.stop();
    await firstEnded;

    const second = createParts(first.store);
    second.jobs.adopt = (run) => second.inbox.post({ type: 'run-never-started', run: run.id });
    const spawns: string[] = [];
    second.jobs.start = (run) => void spawns.push(`${run.id} spawn ${run.spawn}`);
    const secondEnded = second.agent.run();
    await pass(second.time, MINUTE_MS);
    expect(spawns).toEqual(['copy/1 spawn 2']);
    second.agent.stop();
    await secondEnded;
  });
});

describe('what the store keeps for the next agent', () => {
  /** Opens the same real store again and again, in the given boot. */
  function disk(): (bootId: string) => SqliteStore {
    const directory = mkdtempSync(join(tmpdir(), 'migration-agent-test-'));
    const open: SqliteStore[] = [];
    onTestFinished(() => {
      for (const store of open) store.close();
      rmSync(directory, { recursive: true });
    });
    return (bootId) => {
      const store = openStore(directory, bootId, memoryLog());
      open.push(store);
      return store;
    };
  }

  test('the name of the task runner, although the random numbers differ', async () => {
    const open = disk();
    // No other metadata of the agent changes, so nothing else writes it.
    const migrationHub = { ...HUB, region: 'eu-central-1', createStream: false };
    const quiet = settings({ migrationHub });
    const names: unknown[] = [];
    for (const dice of [0.25, 0.75]) {
      const { agent, time } = createParts(undefined, {
        store: open('boot'),
        random: () => dice,
        settings: quiet,
      });
      const ended = agent.run();
      await pass(time, SECOND_MS);
      names.push(agent.status().agent.taskRunnerId);
      agent.stop();
      await ended;
    }
    expect(names[0]).toMatch(/^test-host-/);
    expect(names[1]).toBe(names[0]);
  });

  test('the host: on another host nothing is adopted, and the copy has a name of its own', async () => {
    const open = disk();
    const names: unknown[] = [];
    const seen: string[][] = [];
    for (const [dice, hardware] of [
      [0.25, 'one'],
      [0.5, 'one'],
      [0.75, 'two'],
      [0.9, 'two'],
    ] as const) {
      const { agent, jobs, services, time } = createParts(undefined, {
        store: open('boot'),
        random: () => dice,
        hostIdentity: { hardware },
      });
      const ended = agent.run();
      await Promise.all([
        ...(names.length === 0 ? [agent.ask({ type: 'start', job: 'copy' })] : []),
        pass(time, MINUTE_MS),
      ]);
      names.push(agent.status().agent.taskRunnerId);
      const calls = services.calls.map(({ call }) => call.operation);
      seen.push([
        ...jobs.started,
        ...(calls.includes('NotifyMigrationTaskState') ? ['notified'] : []),
      ]);
      if (hardware === 'two') {
        expect(agent.status().agent.problems.join()).toContain('copied from another host');
      }
      agent.stop();
      await pass(time, 2 * MINUTE_MS);
      await ended;
    }
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
    expect(names[3]).toBe(names[2]);
    expect(seen).toEqual([
      ['copy/1', 'notified'],
      expect.arrayContaining(['notified']) as string[],
      [],
      [],
    ]);
  });

  test('the levels of the gates, after a clean stop', async () => {
    const store = disk()('boot');
    const levels = new Map([['PollForTask', 3]] as const);
    const gates = { ...openGates(() => undefined), levels: () => levels };
    const { agent, time } = createParts(undefined, { store, gates });
    const ended = agent.run();
    await pass(time, MINUTE_MS);
    agent.stop();
    await Promise.all([ended, pass(time, MINUTE_MS + SHUTDOWN_MS_MAX)]);
    expect(store.takeGateLevels(time.now())).toEqual({ levels, ageMs: 0 });
  });

  test('its promises, on the clock of another boot, also if an agent died in between', async () => {
    const open = disk();
    const first = createParts(undefined, { store: open('first boot') });
    const firstEnded = first.agent.run();
    await Promise.all([first.agent.ask({ type: 'start', job: 'copy' }), pass(first.time, HOUR_MS)]);
    first.agent.stop();
    await firstEnded;

    // Ten minutes later; the boot clock begins anew. The first agent of this boot does nothing but load.
    const time = new VirtualTime();
    time.stepWall(HOUR_MS + 10 * MINUTE_MS);
    open('second boot').load(time.now());
    const parts = createParts(undefined, { store: open('second boot') }, time);
    const ended = parts.agent.run();
    await pass(time, MINUTE_MS);
    expect(notifies(parts)).toHaveLength(1);
    parts.agent.stop();
    await ended;
  });
});

test('the loop does not sleep past what comes due during a turn', async () => {
  const time = new VirtualTime();
  const plain = virtualClock(time);
  const parts = createParts(new MemoryStore(), {}, time, {
    ...plain,
    // A busy host: time passes between any two readings of the clock, and timers come a little early.
    now: () => {
      time.moveTo(time.now().bootMs + 2);
      return time.now();
    },
    wakeAt: (bootMs, wake) => plain.wakeAt(bootMs - 3, wake),
  });
  let calls = 0;
  parts.services.answer = (call) =>
    call.operation === 'NotifyMigrationTaskState' && ++calls % 2 === 0
      ? { kind: 'unavailable', reason: 'every second one' }
      : undefined;
  const ended = parts.agent.run();
  parts.inbox.post({ type: 'start-requested', job: 'copy', origin: 'operator' });
  await pass(time, 2 * HOUR_MS);
  const times = parts.services.calls
    .filter(({ call }) => call.operation === 'NotifyMigrationTaskState')
    .map(({ atMs }) => atMs);
  // After each failure the next try comes within a second or so, never after a sleep of ten.
  const gaps = times.slice(1).map((at, i) => at - times[i]!);
  const retries = gaps.filter((gap) => gap < 100 * SECOND_MS);
  expect(retries.length).toBeGreaterThan(20);
  expect(Math.max(...retries)).toBeLessThan(3 * SECOND_MS);
  parts.agent.stop();
  await ended;
});

test('a refused configuration is a problem until one is accepted', async () => {
  const replies: Reply[] = [
    { ok: false, code: 'invalid', message: 'a.yaml:3:1 jobs: is empty\na.yaml:4:1 x: unknown key' },
    { ok: true, message: 'applied' },
  ];
  const { agent } = createParts(new MemoryStore(), {
    reload: () => Promise.resolve(replies.shift() ?? { ok: true, message: '' }),
  });
  await agent.reload();
  expect(agent.status().agent.problems).toEqual([
    'the new configuration was rejected, the old one is in force: a.yaml:3:1 jobs: is empty (and 1 more)',
  ]);
  await agent.reload();
  expect(agent.status().agent.problems).toEqual([]);
});

test('heartbeats of a running job log nothing at info or above', async () => {
  const { agent, log, time, services } = createParts();
  const ended = agent.run();
  const asked = agent.ask({ type: 'start', job: 'copy' });
  await pass(time, 10 * MINUTE_MS);
  expect(await asked).toMatchObject({ ok: true });
  const lineCount = () => log.lines.filter(({ level }) => level !== 'debug').length;
  const [lines, calls] = [lineCount(), services.calls.length];
  await pass(time, 2 * HOUR_MS);
  expect(services.calls.length).toBeGreaterThan(calls + 20);
  expect(lineCount()).toBe(lines);
  agent.stop();
  await ended;
});
