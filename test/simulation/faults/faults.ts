/**
 * Faults that this product had, or nearly had, each as a change that puts it back, and what finds it. FAULTS.md is the table;
 * `npm run test:faults` makes it again.
 */
export interface Change {
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}

export interface Fault {
  readonly name: string;
  readonly what: string;
  readonly changes: readonly Change[];
  /** Hostile days, a quarter of a day each, that have to find something; absent: they cannot see it. */
  readonly days?: { readonly hosts: number; readonly seeds: readonly number[] };
  /** Faults at once (fault-pairs.test.ts) that have to find something. */
  readonly atOnce?: string;
  /** Test files that have to fail. */
  readonly tests: readonly string[];
  /** Why the days cannot see it. */
  readonly real?: string;
}

const SEEDS = [1, 3, 8, 12];
const ONE_HOST = { hosts: 1, seeds: SEEDS };
const ENDINGS = ['test/simulation/endings.test.ts'];
const CLOCKS = ['test/simulation/clock-belief.test.ts'];

export const FAULTS: readonly Fault[] = [
  {
    name: 'held-start',
    what: 'a canceled run starts once a full disk has room again',
    changes: [
      change('core/runs/lifecycle', 'this.#actions.filter(isStillWanted)', 'this.#actions.slice()'),
    ],
    days: ONE_HOST,
    tests: ENDINGS,
  },
  {
    name: 'no-fence-while-canceling',
    what: 'a run that is being canceled has no fence',
    changes: [
      change(
        'core/runs/timers',
        "if (isPast(this.#fenceAtMs(run), now)) return 'fence';\n      return isPast",
        'return isPast',
      ),
      change(
        'core/runs/timers',
        'earliestMs([stepMs, this.#fenceAtMs(run), this',
        'earliestMs([stepMs, this',
      ),
    ],
    days: ONE_HOST,
    tests: ENDINGS,
  },
  {
    name: 'orphan-is-lost',
    what: 'a run whose shim died is lost while its processes live',
    changes: [
      change(
        'core/runs/host-events',
        '    if (run.isOrphaned !== true)\n',
        '    this.#lost(id, reason, now);\n    if (now.bootMs >= 0) return;\n    if (run.isOrphaned !== true)\n',
      ),
    ],
    days: ONE_HOST,
    tests: ['test/simulation/processes-left.test.ts'],
  },
  {
    name: 'descriptors',
    what: 'a process that cannot be read counts as ended',
    changes: [
      change(
        'jobs/process/process-table',
        'throw new CannotSee(`${path} cannot be read: ${errorText(error)}`, { cause: error });',
        'return undefined;',
      ),
    ],
    tests: ['test/jobs/process/cannot-see.test.ts'],
    real: 'a simulated host has no /proc',
  },
  {
    name: 'damaged-row',
    what: 'a damaged row keeps the agent from starting',
    changes: [
      change(
        'store/store',
        'if (value === undefined) damaged.push([String(id), text]);',
        "if (value === undefined) throw new Error('unreadable row');",
      ),
    ],
    days: ONE_HOST,
    tests: ['test/store/store.test.ts'],
  },
  {
    name: 'failed-import',
    what: 'a failed import is remembered for ever',
    changes: [change('aws/made-once', 'if (made === making) made = undefined;', '')],
    tests: ['test/aws/made-once.test.ts'],
    real: 'the services are simulated',
  },
  {
    name: 'shared-task',
    what: 'three jobs with one Hub task share it',
    changes: [
      change(
        'core/runs/deliveries',
        'candidates.find(isFree)',
        '[candidates[0]!, candidates[1]!].find(isFree) ?? candidates[1]',
      ),
    ],
    days: ONE_HOST,
    tests: ENDINGS,
  },
  {
    name: 'second-copy',
    what: 'after a reload a second copy of an instance starts',
    changes: [
      change(
        'core/runs/same-work',
        'return renamed ?? this.#instanceHolder(next);',
        'return renamed;',
      ),
    ],
    days: ONE_HOST,
    tests: ENDINGS,
  },
  {
    name: 'renamed-through-a-queue',
    what: 'a run of a renamed job starts beside it through a queue, not by a request',
    changes: [
      change(
        'core/runs/same-work',
        'const renamed = wasConfigured(next) ? this.runningAs(next.definition) : undefined;',
        'const renamed = undefined;',
      ),
    ],
    days: ONE_HOST,
    atOnce:
      'a reload renames, removes and adds jobs,a task wants a job that a reload may have renamed',
    tests: [],
  },
  {
    name: 'endless-date',
    what: 'a date outside the range of dates throws',
    changes: [
      change(
        'core/lib/time',
        'Number.isNaN(wallMs) ? 0 : Math.min(DATE_MS_MAX, Math.max(-DATE_MS_MAX, wallMs))',
        'wallMs',
      ),
    ],
    real: 'no time that the days make lies outside the range of dates',
    tests: ['test/core/lib/time.test.ts'],
  },
  {
    name: 'any-clock-starts',
    what: 'a schedule starts jobs by any clock of the host',
    changes: [
      change(
        'core/runs/schedules',
        `return (
      clock.isHostBelieved(now) &&
      (!hasDestination(this.#parts.settings.current) || clock.isVouchedFor(now))
    );`,
        'return clock.isHostBelieved(now) || clock.nowMs(now) > -Infinity;',
      ),
    ],
    days: ONE_HOST,
    tests: CLOCKS,
  },
  {
    name: 'decades-ahead',
    what: 'a boot 30 years ahead without an answer makes up for a start',
    changes: [
      change('core/scheduling/service-clock', 'sinceMs < UNCONFIRMED_MS_MAX', 'sinceMs < Infinity'),
    ],
    days: { hosts: 1, seeds: [9, 10, 1, 3, 8, 12] },
    tests: CLOCKS,
  },
  {
    name: 'grace-never-shorter',
    what: 'a second cancel with a shorter grace changes nothing',
    changes: [
      change(
        'core/runs/lifecycle',
        'before === undefined ? ending : tightened(before, ending, graceMs !== undefined)',
        'before ?? ending',
      ),
    ],
    days: ONE_HOST,
    tests: ENDINGS,
  },
  {
    name: 'kept-for-ever',
    what: 'ended runs of names that never come back are kept for ever',
    changes: [
      change(
        'core/runs/retention',
        'Math.min(ageMs, sinceEndMs) >= keepRunsMs',
        'Math.min(ageMs, sinceEndMs) < -keepRunsMs',
      ),
    ],
    days: ONE_HOST,
    tests: ['test/simulation/retention.test.ts'],
  },
  {
    name: 'forgotten-early',
    what: 'a run that ended by a wrong clock is forgotten early',
    changes: [
      change(
        'core/runs/retention',
        'run.agesFromMs = clock.nowMs(now);',
        'run.agesFromMs = run.endedAt?.wallMs ?? 0;',
      ),
    ],
    days: { hosts: 3, seeds: [12, 9, 1, 3] },
    tests: ['test/core/runs/retention.test.ts'],
  },
  {
    name: 'read-only',
    what: 'a read-only file system keeps the agent from starting',
    changes: [
      change(
        'store/connection',
        'if (reason === undefined) throw error;\n    return openCopy',
        'throw error;\n    return openCopy',
      ),
    ],
    tests: ['test/store/read-only.test.ts'],
    real: 'the file system is real',
  },
  {
    name: 'resume-after-terminate',
    what: '`resume` after `terminate` takes tasks',
    changes: [
      change(
        'core/lifecycle/agent-lifecycle',
        '    if (shutdown.isTerminated) {',
        '    if (shutdown.isTerminated && now.bootMs < 0) {',
      ),
    ],
    days: ONE_HOST,
    tests: ENDINGS,
  },
  {
    name: 'early-poll',
    what: 'a poll goes out before the first heartbeat is answered',
    changes: [
      change('core/pipeline/poller', 'if (!heartbeat.isSettled) return false;', 'void heartbeat;'),
    ],
    days: ONE_HOST,
    tests: ENDINGS,
  },
  {
    name: 'denied-stream',
    what: 'a denied stream is not tried as if it existed',
    changes: [change('core/hub/connection', '      this.#assumedStream = name;\n', '')],
    days: { hosts: 1, seeds: [8, 1, 3, 12] },
    tests: [],
  },
  {
    name: 'kept-promise-broken',
    what: 'a promise that a dead agent had renewed is reported as broken',
    changes: [
      change(
        'core/hub/task-reporter',
        'if (now.bootMs <= this.#renewedUntilMs(before)) {',
        'if (now.bootMs < -1e15) {',
      ),
    ],
    days: ONE_HOST,
    tests: ['test/core/hub/task-reporter.test.ts'],
  },
  {
    name: 'processes-left-unseen',
    what: 'a program that leaves processes behind shows none',
    changes: [
      change(
        'core/runs/host-events',
        'if (processesLeft.length > 0) {',
        'if (processesLeft.length > 99) {',
      ),
    ],
    days: ONE_HOST,
    tests: ['test/simulation/processes-left.test.ts'],
  },
  {
    name: 'wild-first-date',
    what: 'a first `Date` that is years off moves the stamps',
    changes: [
      change(
        'core/scheduling/clock-offset',
        'isFar && this.#agreeing(median) < FAR_SAMPLES_MIN',
        'false',
      ),
    ],
    days: ONE_HOST,
    tests: ['test/core/scheduling/clock-offset.test.ts'],
  },
  {
    name: 'two-wild-dates',
    what: 'two of the first three `Date`s that are years off move the stamps',
    changes: [
      change(
        'core/scheduling/clock-offset',
        'this.#agreeing(median) < FAR_SAMPLES_MIN',
        'this.#samples.length < FAR_SAMPLES_MIN',
      ),
    ],
    tests: ['test/core/scheduling/clock-offset.test.ts', 'test/end-to-end/faults-at-once.test.ts'],
    real: 'one answer is wild at a time',
  },
  {
    name: 'old-samples-outvote',
    what: 'what an earlier agent knew of the time outvotes the first answers',
    changes: [
      change(
        'core/scheduling/clock-offset',
        'if (this.#restored > 0 && isFar) {',
        'if (this.#restored > 9 && isFar) {',
      ),
    ],
    real: 'an offset that does not fit is not taken over any more, so nothing is there to outvote',
    tests: ['test/core/scheduling/clock-offset.test.ts'],
  },
  {
    name: 'window-of-the-future',
    what: 'after a reboot a window begins in the future',
    changes: [
      change(
        'core/state/rebase',
        'if (moved.bootMs <= now.bootMs) return moved;',
        'if (moved.bootMs <= Infinity) return moved;',
      ),
    ],
    real: 'the task of a run that waits has to be confirmed after a reboot, and other runs have ended',
    tests: ['test/store/store.test.ts'],
  },
  {
    name: 'queued-over-a-reboot',
    what: 'a run that waits starts after a reboot, although its window may have ended',
    changes: [
      change(
        'core/state/run-index',
        'acknowledgedAt !== undefined && unconfirmedSince === undefined',
        'acknowledgedAt !== undefined',
      ),
    ],
    real: 'a run seldom waits while its host reboots: seeds 1 to 10 of three hosts do not show it',
    tests: ['test/core/runs/timers-unconfirmed.test.ts'],
  },
  {
    name: 'torn-changes',
    what: 'changes that a full disk refused are lost',
    changes: [change('agent/journal', '      this.#hold(changes);\n', '')],
    days: ONE_HOST,
    tests: ['test/agent/journal.test.ts'],
  },
  {
    name: 'blind-on-a-full-disk',
    what: 'an agent that starts on a full disk does not see how its jobs end',
    changes: [change('core/runs/lifecycle', "  'adopt-run',\n", '')],
    real: 'a restart writes nothing of runs that it finds as they were, so its first turn seldom waits for the disk',
    atOnce: 'the disk is full,a start is wanted,the agent is killed,the programs end',
    tests: ['test/simulation/full-disk.test.ts'],
  },
  {
    name: 'provisional-stamp',
    what: 'a final report keeps a stamp that an unconfirmed clock gave',
    changes: [
      change(
        'core/model/hub-task',
        'const isKnown = isSure && isBelievable(atMs);',
        'const isKnown = isBelievable(atMs);',
      ),
    ],
    days: { hosts: 3, seeds: [9, 1, 3] },
    tests: ['test/core/model/hub-task.test.ts'],
  },
  {
    name: 'two-duration-parsers',
    what: '`cancel --grace 1h30m` is refused although the configuration accepts it',
    changes: [
      change(
        'core/lib/duration',
        '(\\\\d{1,9}d)?(\\\\d{1,9}h)?(\\\\d{1,9}m)?(\\\\d{1,9}s)?$',
        '\\\\d{1,9}[dhms]$',
      ),
    ],
    tests: ['test/core/lib/duration.test.ts'],
    real: 'a command line is no part of the simulation',
  },
  {
    name: 'endless-start',
    what: 'an agent whose state directory cannot exist loops at its start and does not hear SIGTERM',
    changes: [
      change(
        'system/trusted-path',
        '  if (dirname(path) !== path) makeDirectory(dirname(path), mode);\n',
        '',
      ),
      change(
        'system/trusted-path',
        'mkdirSync(path, { mode });',
        'mkdirSync(path, { mode, recursive: true });',
      ),
    ],
    tests: ['test/security/trusted-paths.test.ts'],
    real: 'the file system is real',
  },
  {
    name: 'lost-state',
    what: 'live runs that a lost state file does not have are forgotten, and start again',
    changes: [
      change('agent/agent', 'recoverUnrecorded(state, this.#recovered, this.#startedAt);', ''),
    ],
    tests: ['test/end-to-end/lost-state.test.ts'],
    real: 'run directories and processes are real',
  },
  {
    name: 'unsure-window',
    what: 'after a reboot a task is fenced, or its run starts, by a window that only a doubtful clock shows',
    changes: [
      change(
        'core/state/rebase',
        'if (pipeline !== undefined && !isFinal(state)) pipeline.unconfirmedSince = now;',
        '',
      ),
    ],
    tests: ['test/core/runs/timers-unconfirmed.test.ts'],
    real: 'the agent days see it: rough and stormy, seed 27',
  },
  {
    name: 'silent-on-a-full-disk',
    what: 'requests have no answer while the disk is full: a command says that no daemon answers',
    changes: [
      change(
        'agent/open-requests',
        'if (now.bootMs - request.refusedSinceMs < HELD_MS_MAX) continue;',
        'continue;',
      ),
    ],
    tests: ['test/agent/agent.test.ts'],
    real: 'the operators of the days wait without a limit',
  },
  {
    name: 'lost-ends',
    what: 'ends that AWS had not accepted are forgotten with the state file',
    changes: [
      change(
        'jobs/supervise/unrecorded-runs',
        'if (started === undefined) return undefined;',
        'if (started === undefined || readExit(directory, spawn) !== undefined) return undefined;',
      ),
    ],
    tests: ['test/jobs/supervise/unrecorded-runs.test.ts', 'test/end-to-end/lost-state.test.ts'],
    real: 'run directories and processes are real',
  },
  {
    name: 'ends-again',
    what: 'ends that AWS has accepted are reported again after the state file was lost',
    changes: [change('agent/act', 'outside.jobs.settled?.(action.run);', '')],
    tests: ['test/end-to-end/lost-state.test.ts'],
    real: 'run directories and processes are real',
  },
  {
    name: 'beside-an-unrecorded-run',
    what: 'a run starts beside a live one of its job of which the agent has no record',
    changes: [change('jobs/job-host', 'if (beside.length > 0) {', 'if (beside.length > 99) {')],
    tests: ['test/jobs/supervise/unrecorded-runs.test.ts'],
    real: 'run directories and processes are real',
  },
  {
    name: 'silent-name-service',
    what: 'a name service that gives no answer counts as "there is no such user"',
    changes: [
      change(
        'jobs/process/user',
        'throw new NameServiceSilent(`the name',
        'return void new NameServiceSilent(`the name',
      ),
    ],
    tests: ['test/jobs/process/user.test.ts'],
    real: 'the name service is real',
  },
  {
    name: 'damaged-and-read-only',
    what: 'a damaged store on a read-only or full disk keeps the agent from starting',
    changes: [
      change(
        'store/connection',
        'if (!isUnusable(error)) throw error;\n    return copyDamaged',
        'throw error;\n    return copyDamaged',
      ),
    ],
    tests: ['test/store/read-only.test.ts'],
    real: 'the file system is real',
  },
  {
    name: 'region-of-before',
    what: 'after an outage in which the home region moved, a final report is given up as refused',
    changes: [
      change(
        'core/hub/failures',
        'confirmRegion(retry.refusedAtMs)',
        'confirmRegion(retry.firstAtMs)',
      ),
    ],
    tests: ['test/core/hub/failures.test.ts', 'test/simulation/hostile-days.test.ts'],
    real: 'the region has to move within an outage, as in the hostile days of `npm test`',
  },
];

function change(file: string, find: string, replace: string): Change {
  return { file: `src/${file}.ts`, find, replace };
}
