/** Stamps of final reports (UpdateDateTime), whatever the host's clock was when they were made. */
import { describe, expect, test } from 'vitest';
import {
  addFinalReport,
  isFinalStatus,
  isPromised,
  nextStampS,
  quarantine,
  restampFinalReports,
} from '../../../src/core/model/hub-task.ts';
import type { HubPromise, HubTask } from '../../../src/core/model/hub-task.ts';
import type { Run } from '../../../src/core/model/job.ts';

const NOW_S = 1_800_000_000;
const YEAR_S = 365 * 86_400;
/** The host's wall clock does not matter: ages are measured on the boot clock. */
const now = { wallMs: 0, bootMs: 3_600_000 };

function taskWith(stampS: number, ageS: number, lastStampS = stampS): HubTask {
  const since = { wallMs: 0, bootMs: now.bootMs - ageS * 1000 };
  const payload = { status: 'FAILED' } as const;
  return {
    name: 'copy',
    imported: true,
    lastStampS,
    finalReports: [{ run: 'copy/1', kind: 'end', payload, stampS, since }],
    links: [],
  };
}

const stamps = ({ finalReports }: HubTask) => finalReports.map(({ stampS }) => stampS);

test.each([
  ['1970', 5],
  ['two years behind', NOW_S - 2 * YEAR_S],
  ['thirty years ahead', NOW_S + 30 * YEAR_S],
])('a final report of a clock in %s is stamped again, by its age', (_when, stampS) => {
  const task = taskWith(stampS, 60);
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
  expect(stamps(task)).toEqual([Math.max(NOW_S - 60, stampS < NOW_S ? stampS + 1 : 0)]);
  expect(task.lastStampS).toBe(stamps(task)[0]);
});

test('a final report of a clock in 1970 is stamped again also if its stamp follows the last one on disk', () => {
  // The disk was full, so that later stamps were sent than it has.
  const run = { id: 'copy/1', state: 'failed', definition: {} } as unknown as Run;
  const task: HubTask = { ...taskWith(0, 0), finalReports: [], lastStampS: NOW_S - 634 };
  addFinalReport(
    task,
    run,
    { serviceMs: 60_000, isSure: true },
    { wallMs: 60_000, bootMs: now.bootMs - 580_000 },
  );
  expect(stamps(task)).toEqual([NOW_S - 633, NOW_S - 632]);
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
  expect(stamps(task)).toEqual([NOW_S - 580, NOW_S - 579]);
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(false);
});

test('a final report of a clock that nothing vouches for moves no later stamp: it gets one when the time is known', () => {
  const run = { id: 'copy/1', state: 'failed', definition: {} } as unknown as Run;
  const task: HubTask = { ...taskWith(0, 0), finalReports: [], lastStampS: NOW_S - 634 };
  const serviceMs = (NOW_S + 30 * YEAR_S) * 1000;
  addFinalReport(task, run, { serviceMs, isSure: false }, now);
  expect(stamps(task)).toEqual([NOW_S - 633, NOW_S - 632]);
  expect(task.lastStampS).toBe(NOW_S - 632);
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
  expect(stamps(task)).toEqual([NOW_S, NOW_S + 1]);
});

test('a final report that waited for days offline keeps its stamp', () => {
  const ageS = 3 * 86_400;
  const task = taskWith(NOW_S - ageS, ageS);
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(false);
  expect(stamps(task)).toEqual([NOW_S - ageS]);
});

test('two final reports stay in order', () => {
  const task = taskWith(NOW_S + YEAR_S, 60);
  const [first] = task.finalReports;
  if (first !== undefined) task.finalReports.push({ ...first, stampS: first.stampS + 1 });
  task.lastStampS++;
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
  expect(stamps(task)).toEqual([NOW_S - 60, NOW_S - 59]);
});

test('a final report that may have been sent keeps its stamp although a later one gets another', () => {
  const task = taskWith(NOW_S - 600, 600);
  const [first] = task.finalReports;
  if (first !== undefined) {
    const provisional = { ...first, run: 'copy/2', isProvisional: true as const };
    task.finalReports.push({ ...provisional, stampS: NOW_S - 599, since: now });
  }
  task.lastStampS = NOW_S - 599;
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
  expect(stamps(task)).toEqual([NOW_S - 600, NOW_S]);
});

describe('the last stamp, from which later ones go on', () => {
  /** A provisional final report with `stampS`, of a task that was last stamped `lastStampS`. */
  function restamped(stampS: number, lastStampS: number): HubTask {
    const task = taskWith(stampS, 60, lastStampS);
    task.finalReports = task.finalReports.map((one) => ({ ...one, isProvisional: true }));
    expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
    return task;
  }

  test.each([
    ['is kept if it is up to a day ahead', NOW_S + 86_400, NOW_S + 86_401],
    ['is forgotten if it is further ahead', NOW_S + 86_401, NOW_S - 60],
  ])('%s', (_what, lastStampS, expected) => {
    expect(stamps(restamped(lastStampS, lastStampS))).toEqual([expected]);
  });

  test.each([
    ['may be of a report that was sent: it is kept', NOW_S + YEAR_S, NOW_S + YEAR_S + 1],
    ['is of no time that a service would take: it is forgotten', 5_000_000_000, NOW_S - 60],
  ])('that is not of the final report %s', (_what, lastStampS, expected) => {
    expect(stamps(restamped(NOW_S + 2 * YEAR_S, lastStampS))).toEqual([expected]);
  });

  test('stays behind final reports that keep their stamps', () => {
    const task = taskWith(NOW_S + 50_000, 60);
    const [kept] = task.finalReports;
    const last = NOW_S + 30 * YEAR_S;
    if (kept !== undefined) task.finalReports.push({ ...kept, run: 'copy/2', stampS: last });
    task.lastStampS = last;
    expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
    expect(stamps(task)).toEqual([NOW_S + 50_000, NOW_S + 50_001]);
  });
});

test('of a final report that was made before the host booted only a stamp more than a day ahead is wrong', () => {
  const ofEarlierBoot = (stampS: number): HubTask => {
    const task = taskWith(stampS, 0);
    const since = { wallMs: 0, bootMs: -1 };
    task.finalReports = task.finalReports.map((one) => ({ ...one, since }));
    return task;
  };
  for (const stampS of [NOW_S + 86_400, NOW_S - 40 * YEAR_S]) {
    const task = ofEarlierBoot(stampS);
    expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(false);
    expect(stamps(task)).toEqual([stampS]);
  }
  const task = ofEarlierBoot(NOW_S + 86_401);
  expect(restampFinalReports(task, NOW_S * 1000, now)).toBe(true);
  // Its age is unknown, and taken for nothing.
  expect(stamps(task)).toEqual([NOW_S]);
});

test('a final report that is a day off by its age keeps its stamp, one that is more does not', () => {
  for (const [stampS, isOff] of [
    [NOW_S - 60 + 86_400, false],
    [NOW_S - 60 + 86_401, true],
    [NOW_S - 60 - 86_400, false],
    [NOW_S - 60 - 86_401, true],
  ] as const) {
    expect(restampFinalReports(taskWith(stampS, 60), NOW_S * 1000, now), `${stampS}`).toBe(isOff);
  }
});

test('a stamp is later than the last one, also after a step back of the clock', () => {
  const task: HubTask = { ...taskWith(0, 0), finalReports: [], lastStampS: NOW_S };
  expect(nextStampS(task, NOW_S * 1000)).toBe(NOW_S + 1);
  expect(nextStampS(task, (NOW_S - 500) * 1000)).toBe(NOW_S + 2);
});

const promiseOf = (run: string, status: HubPromise['payload']['status']): HubPromise => ({
  ...{ run, payload: { status }, madeAt: now, until: now, nextUpdateS: 60 },
});

describe('a run that ends', () => {
  const run = {
    ...{ id: 'copy/1', job: 'copy', state: 'failed', reason: 'x' },
    startedAt: { wallMs: 0, bootMs: now.bootMs - 60_000 },
  } as unknown as Run;
  const ended = (over: Partial<HubTask>, isSure = true): HubTask => {
    const task: HubTask = {
      ...{ name: 'copy', imported: true, lastStampS: 0, finalReports: [], links: [] },
      ...{ run: run.id, ...over },
    };
    addFinalReport(task, run, { serviceMs: NOW_S * 1000, isSure }, now);
    return task;
  };
  const shown = (task: HubTask) =>
    task.finalReports.map(({ kind, payload, stampS }) => [kind, payload.status, stampS]);

  test('is first shown as it began, unless that was accepted of this run', () => {
    const opening = ['opening', 'IN_PROGRESS', NOW_S - 60];
    const end = ['end', 'FAILED', NOW_S];
    expect(shown(ended({}))).toEqual([opening, end]);
    expect(shown(ended({ promise: promiseOf('copy/0', 'IN_PROGRESS') }))).toEqual([opening, end]);
    expect(shown(ended({ promise: promiseOf('copy/1', 'FAILED') }))).toEqual([opening, end]);
    expect(shown(ended({ promise: promiseOf('copy/1', 'IN_PROGRESS') }))).toEqual([end]);
  });

  test('has the second of each moment, rounded down', () => {
    const task: HubTask = { ...taskWith(0, 0), finalReports: [] };
    const startedAt = { wallMs: 0, bootMs: now.bootMs - 60_001 };
    const atMs = { serviceMs: NOW_S * 1000 + 999, isSure: true };
    addFinalReport(task, { ...run, startedAt }, atMs, now);
    expect(stamps(task)).toEqual([NOW_S - 60, NOW_S]);
    const early: HubTask = { ...taskWith(0, 0), finalReports: [] };
    // Of an earlier boot nobody knows how long it ran; nor does a clock that was stepped back count.
    const before = { ...run, startedAt: { wallMs: 0, bootMs: -60_000 } };
    addFinalReport(early, before, atMs, now);
    expect(stamps(early)).toEqual([NOW_S, NOW_S + 1]);
  });

  test('is opened with its percent: what was shown of it before does not disappear', () => {
    const task: HubTask = {
      name: 'copy',
      imported: true,
      lastStampS: 0,
      finalReports: [],
      links: [],
    };
    addFinalReport(task, { ...run, percent: 69 }, { serviceMs: NOW_S * 1000, isSure: true }, now);
    expect(task.finalReports.map(({ payload }) => [payload.status, payload.percent])).toEqual([
      ...[
        ['IN_PROGRESS', 69],
        ['FAILED', 69],
      ],
    ]);
  });

  test('has stamps later than all before, each than the one before it', () => {
    expect(shown(ended({ lastStampS: NOW_S })).map(([, , stampS]) => stampS)).toEqual([
      ...[NOW_S + 1, NOW_S + 2],
    ]);
    const task = ended({ lastStampS: 7 }, false);
    expect(task.finalReports.map(({ isProvisional, stampS }) => [isProvisional, stampS])).toEqual([
      ...[
        [true, 8],
        [true, 9],
      ],
    ]);
  });

  test('leaves its task, if it has it', () => {
    expect(ended({})).not.toHaveProperty('run');
    expect(ended({ run: 'copy/2' }).run).toBe('copy/2');
  });
});

test.each<[Partial<HubTask>, boolean]>([
  [{ run: 'copy/1', promise: promiseOf('copy/1', 'IN_PROGRESS') }, true],
  [{ run: 'copy/1', offered: 'copy/1' }, true],
  [{ run: 'copy/1', offered: 'copy/0', promise: promiseOf('copy/0', 'IN_PROGRESS') }, false],
  [{ offered: 'copy/1', promise: promiseOf('copy/1', 'IN_PROGRESS') }, false],
  [{ run: 'copy/1' }, false],
  [{}, false],
])('%j is promised: %s', (over, expected) => {
  expect(isPromised({ ...taskWith(0, 0), ...over })).toBe(expected);
});

test('a promise need not be renewed once the task has ended', () => {
  const statuses = ['NOT_STARTED', 'IN_PROGRESS', 'COMPLETED', 'FAILED'] as const;
  expect(statuses.filter((status) => isFinalStatus(promiseOf('copy/1', status)))).toEqual([
    ...['COMPLETED', 'FAILED'],
  ]);
});

test('what was refused is kept behind what was refused before', () => {
  const task = taskWith(NOW_S, 0);
  const refused = (reason: string) => ({ run: 'copy/1', reason, at: now });
  expect(task).not.toHaveProperty('quarantine');
  quarantine(task, refused('first'));
  quarantine(task, refused('second'));
  expect(task.quarantine).toEqual([refused('first'), refused('second')]);
});
