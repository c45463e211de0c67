/**
 * A disk that takes no changes for longer than any promise: tasks are reported as before, and the end of a run is reported
 * as soon as it is on disk, and not earlier. The whole agent, with its own journal and store.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { NotifyCall } from '../../src/core/model/call.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/core/lib/time.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import { AgentChecker } from '../support/agent-checker.ts';
import { AgentWorld } from '../support/agent-world.ts';
import { Desk, aRun } from '../support/desk.ts';
import { polledTask } from '../support/polled-task.ts';
import { PIPELINE, definition, settings } from '../support/settings.ts';
import { FAST_DIRECTORY } from '../support/fast-directory.ts';

const ENDS_MS = 15 * MINUTE_MS;
/** Before the jobs end, and longer than promises and windows. */
const FULL = { fromMs: 10 * MINUTE_MS, untilMs: 3 * HOUR_MS };

interface AcceptedReport {
  readonly atMs: number;
  readonly call: NotifyCall;
}

interface Story {
  readonly world: AgentWorld;
  readonly checker: AgentChecker;
  readonly reports: AcceptedReport[];
  readonly attempt: string;
}

/** One job of the operator's and one of a pipeline, which end after a quarter of an hour. */
function begin(full: typeof FULL, isOut: (bootMs: number) => boolean = () => false): Story {
  const directory = mkdtempSync(join(FAST_DIRECTORY, 'full-disk-'));
  const world = new AgentWorld(1, directory, {
    failing: 0,
    settings: settings({
      jobs: new Map(['copy', 'activity'].map((name) => [name, definition(name)])),
      dataPipeline: { ...PIPELINE, activities: [{ match: { name: 'activity' }, job: 'activity' }] },
    }),
    isOut: (_call, bootMs) => isOut(bootMs),
    jobs: { durationMs: () => ENDS_MS, exitCode: () => 0, progressEveryMs: MINUTE_MS },
  });
  onTestFinished(() => {
    world.close();
    rmSync(directory, { recursive: true });
  });
  const checker = new AgentChecker(world);
  const reports: AcceptedReport[] = [];
  const { onReport } = world.service;
  world.service.onReport = (call) => {
    reports.push({ atMs: world.time.now().bootMs, call });
    onReport(call);
  };
  world.begin();
  world.ask({ type: 'start', job: 'copy' }, () => undefined);
  const task = polledTask('activity');
  checker.offered(task.attemptId);
  world.service.offer(task);
  world.time.in(full.fromMs, () => (world.isDiskFull = true));
  world.time.in(full.untilMs, () => (world.isDiskFull = false));
  return { world, checker, reports, attempt: task.attemptId };
}

describe('P8 a disk that is full for hours', () => {
  test('no promise is broken and no window lapses; the ends are reported within seconds after there is room', async () => {
    const { world, checker, reports, attempt } = begin(FULL);
    await world.runUntil(FULL.untilMs);
    expect(world.service.taskState(attempt)).toBe('owned');
    const meanwhile = reports.filter(({ atMs }) => atMs > FULL.fromMs + SECOND_MS);
    expect(new Set(meanwhile.map(({ call }) => call.status))).toEqual(new Set(['IN_PROGRESS']));
    // The progress is not on disk, so it is not reported: a percent would fall after a crash.
    expect(new Set(meanwhile.map(({ call }) => call.percent)).size).toBe(1);

    await world.runUntil(FULL.untilMs + 10 * SECOND_MS);
    expect(endsOf(reports)).toEqual(['activity COMPLETED', 'copy COMPLETED']);
    expect(world.service.taskState(attempt)).toBe('FINISHED');
    expect(world.service.close()).toMatchObject({ staleMs: 0, lapses: 0, stampsNotRising: 0 });
    expect(checker.close()).toEqual([]);
  });

  test('an agent that is killed meanwhile finds out again how they ended', async () => {
    const { world, checker, reports, attempt } = begin(FULL);
    world.time.in(ENDS_MS + 4 * MINUTE_MS, () => world.kill(0, SECOND_MS));
    await world.runUntil(FULL.untilMs + 10 * SECOND_MS);
    expect(world.lives).toBe(2);
    expect(endsOf(reports)).toEqual(['activity COMPLETED', 'copy COMPLETED']);
    expect(world.service.taskState(attempt)).toBe('FINISHED');
    expect(world.service.close()).toMatchObject({ staleMs: 0, lapses: 0, stampsNotRising: 0 });
    expect(checker.close()).toEqual([]);
  });

  test('an agent that starts meanwhile sees how its jobs end, before there is room', async () => {
    const { world } = begin(FULL);
    const seen: string[] = [];
    world.onLog = (event, fields) => seen.push(`${event} ${String(fields['job'])}`);
    world.time.in(FULL.fromMs + MINUTE_MS, () => world.kill(0, SECOND_MS));
    await world.runUntil(FULL.untilMs);
    expect(world.lives).toBe(2);
    expect(seen).toContain('run.ended copy');
    expect(seen).toContain('run.ended activity');
  });

  test('an agent that starts meanwhile finds its jobs in its first turn, whatever else of that waits for the disk', () => {
    const state = new PersistentState();
    state.recoverRun(aRun());
    const desk = new Desk({ jobs: [definition('copy')], state, isDiskFull: true });
    expect(desk.actionsOf('adopt-run').map(({ run }) => run.id)).toEqual(['copy/1']);
  });

  test('an end that is on disk is reported, although the disk takes no changes', async () => {
    const fullMs = ENDS_MS + MINUTE_MS;
    const { world, checker, reports, attempt } = begin(
      { fromMs: fullMs, untilMs: HOUR_MS },
      (bootMs) => bootMs > ENDS_MS - MINUTE_MS && bootMs < fullMs + MINUTE_MS,
    );
    await world.runUntil(fullMs + 2 * MINUTE_MS);
    expect(world.isDiskFull).toBe(true);
    expect(endsOf(reports)).toEqual(['activity COMPLETED', 'copy COMPLETED']);
    expect(world.service.taskState(attempt)).toBe('FINISHED');
    await world.runUntil(2 * HOUR_MS);
    expect(checker.close()).toEqual([]);
  });

  test('a percent that was on its way when the disk filled up does not fall after a crash', async () => {
    const { world, checker, reports } = begin({ fromMs: HOUR_MS, untilMs: 2 * HOUR_MS });
    const { onSend } = world;
    world.onSend = (call) => {
      onSend(call);
      if ('percent' in call && (call.percent ?? 0) >= 50) world.isDiskFull = true;
    };
    world.time.in(10 * MINUTE_MS, () => world.kill(0, SECOND_MS));
    await world.runUntil(14 * MINUTE_MS);
    const percents = reports.flatMap(({ call }) =>
      call.task === 'copy' ? [call.percent ?? 0] : [],
    );
    expect(percents.at(-1)).toBeGreaterThanOrEqual(50);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    await world.runUntil(3 * HOUR_MS);
    expect(checker.close()).toEqual([]);
  });

  test('of several ends on disk one is reported meanwhile: after a crash it is repeated before any other', async () => {
    const fullMs = 2 * ENDS_MS + 2 * MINUTE_MS;
    const { world, checker, reports } = begin(
      { fromMs: fullMs, untilMs: HOUR_MS },
      (bootMs) => bootMs > ENDS_MS - MINUTE_MS && bootMs < fullMs + MINUTE_MS,
    );
    checker.excuse(HOUR_MS);
    world.time.in(ENDS_MS + MINUTE_MS, () =>
      world.ask({ type: 'start', job: 'copy' }, () => undefined),
    );
    await world.runUntil(fullMs + 3 * MINUTE_MS);
    expect(endsOf(reports)).toEqual(['activity COMPLETED', 'copy COMPLETED']);
    world.kill(0, SECOND_MS);
    await world.runUntil(2 * HOUR_MS);
    expect(endsOf(reports)).toEqual(['activity COMPLETED', 'copy COMPLETED', 'copy COMPLETED']);
    expect(checker.close()).toEqual([]);
  });
});

function endsOf(reports: readonly AcceptedReport[]): string[] {
  return reports
    .filter(({ call }) => call.status === 'COMPLETED' || call.status === 'FAILED')
    .map(({ call }) => `${call.task} ${call.status}`)
    .toSorted();
}
