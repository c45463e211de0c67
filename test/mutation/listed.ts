/**
 * Mutants written by hand, each a mistake that would hurt and that the changes of mutants.ts do not make, or that no test
 * noticed once. `npm run test:mutants -- --listed [TEXT]` puts each back and runs its test, which must fail.
 */
import { LISTED_HOST } from './listed-host.ts';

export interface Listed {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The test file that notices it. */
  readonly test: string;
}

export const LISTED: readonly Listed[] = [
  ...of('core/operator/outbox-requests', [
    // `outbox drop` without a job discards only what is refused.
    ["if (choice.job === undefined && run.pipeline.delivery.state !== 'refused') continue;", ''],
    // What is put back goes in the order of time.
    [
      '[...task.finalReports, report].sort((a, b) => a.stampS - b.stampS)',
      '[...task.finalReports, report]',
    ],
    // A permission was granted: `outbox retry` calls at once.
    ["['unavailable', 'denied', 'no-home-region']", "['unavailable', 'no-home-region']"],
    ['hub.enableAll();', ''],
    // What was dropped is on disk, and so is that it is refused no more.
    ["if (run?.hub !== undefined && kind === 'end') run.hub.delivery = droppedBy(by);", ''],
    [
      'run.pipeline.delivery = droppedBy(by);',
      "run.pipeline.delivery = { state: 'refused', reason: by };",
    ],
  ]),
  ...of('core/model/hub-task', [
    // The stamp of a task never goes backwards, and is never the same.
    [
      'Math.max(Math.floor(serviceMs / SECOND_MS), task.lastStampS + 1)',
      'Math.max(Math.floor(serviceMs / SECOND_MS), task.lastStampS)',
    ],
    [
      'Math.max(isKnown ? Math.floor(atMs / SECOND_MS) : 0, task.lastStampS + 1)',
      'Math.max(isKnown ? Math.floor(atMs / SECOND_MS) : 0, task.lastStampS)',
    ],
    [
      'Math.max(Math.floor(madeMs(report) / SECOND_MS), task.lastStampS + 1)',
      'Math.max(Math.floor(madeMs(report) / SECOND_MS), task.lastStampS)',
    ],
    [
      "promise.payload.status === 'COMPLETED' || promise.payload.status === 'FAILED'",
      "promise.payload.status === 'COMPLETED'",
    ],
    ['(promise?.run === run || offered === run)', '(promise?.run === run)'],
  ]),
  ...of('core/runs/task-leases', [
    [
      "run.state !== 'canceled' && run.state !== 'fenced' && run.state !== 'canceling'",
      "run.state !== 'canceled' && run.state !== 'fenced'",
    ],
    [
      "run.state !== 'canceled' && run.state !== 'fenced' && run.state !== 'canceling'",
      "run.state !== 'canceled' && run.state !== 'canceling'",
    ],
    [
      "run.state !== 'canceled' && run.state !== 'fenced' && run.state !== 'canceling'",
      "run.state !== 'fenced' && run.state !== 'canceling'",
    ],
    ['(isStopping || !isStarted(run))', 'isStopping'],
    [
      '!shutdown.isTerminated && shutdown.requestedAt === undefined',
      'shutdown.requestedAt === undefined',
    ],
    // P3: an attempt that the service began anew ends the one before.
    ["this.#life.end(run, 'fence', `the service began ${lease.attemptId}`, now);", ''],
    // P4: nothing is reported of a task that was canceled.
    ["this.#life.withhold(run, 'the service canceled the task');", ''],
    ['if (this.#rebind(lease, now)) return;', 'this.#rebind(lease, now);'],
  ]),
  ...of('core/hub/failures', [
    [
      "if ('region' in call && call.region !== parts.hub.region) {",
      "if ('region' in call && false) {",
    ],
    ['return { ...retry, refused: payloadOf(call) };', 'return retry;'],
    ['task.finalReports.shift();', ''],
  ]),
  ...of('core/hub/links', [
    // Of another application nothing is forgotten.
    [
      'one.operation !== link.operation || one.application !== link.application',
      'one.operation !== link.operation',
    ],
    ["links.push(...applicationLink(hub, 'IN_PROGRESS'));", ''],
  ]),
  ...of('core/hub/links-reporter', [
    ['if (!hub.confirmRegion(retry.firstAtMs)) return;', 'hub.confirmRegion(retry.firstAtMs);'],
    ["if (kind !== 'refused' && kind !== 'missing') return;", "if (kind !== 'refused') return;"],
    ['this.#missed.add(link);', ''],
  ]),
  ...of('core/hub/task-reporter', [
    // A promise that was made for a stop, or before a restart of the host, is replaced at once.
    ['...(this.#isShutdownReport ? { isShutdown: true } : {}),', ''],
    // Nothing is sent that is not on disk.
    [
      'durability.isUnrecorded(this.key) || durability.isEndHeld(final.run)',
      'durability.isUnrecorded(this.key)',
    ],
    [
      'durability.isUnrecorded(this.key) || durability.isEndHeld(final.run)',
      'durability.isEndHeld(final.run)',
    ],
    ["run.hub.delivery = { state: 'delivered', at: now };", ''],
    // A promise that is only renewed may wait for the next commit; a new one may not.
    [
      'before.run !== promise.run || before.payload.status !== promise.payload.status',
      'before.run !== promise.run',
    ],
    ['stampFloor.raise(stampS);', ''],
    [
      'this.#parts.durability.isBehind || this.#isShutdownReport',
      'this.#parts.durability.isBehind',
    ],
    ['this.#parts.durability.isBehind || this.#isShutdownReport', 'this.#isShutdownReport'],
  ]),
  ...of('core/scheduling/pacing', [
    ["problems === 0 || lastFailure === 'throttled'", 'problems === 0'],
    ["new Set<Failure>(['denied', 'no-home-region'])", "new Set<Failure>(['denied'])"],
    ["new Set<Failure>(['denied', 'no-home-region'])", "new Set<Failure>(['no-home-region'])"],
    ['Math.max(waitMs, retryAfterMs)', 'waitMs'],
    ["kind === 'unavailable' || kind === 'throttled' ? 0 : 1", "kind === 'unavailable' ? 0 : 1"],
  ]),
  ...of('core/runs/deliveries', [
    // The refused reports of a run that is forgotten go with it.
    ['(one) => one.run !== run.id', '() => true'],
    ['if (wasHolder) promises.closed(task);', ''],
    ['run.percent = Math.max(run.percent ?? 0, percent ?? 0);', ''],
    ['!copiedHostHubTasks.has(one) && (', '('],
  ]),
  ...of('core/runs/tracking', [
    // What was reported is on disk before the caller has its answer.
    [
      'else this.#life.changed(run, now);\n    return',
      'else this.#life.touched(run, now);\n    return',
    ],
    // A percent that was reported does not fall after a crash.
    ['if (isHigher) life.progressed(run, now);', 'if (isHigher) life.touched(run, now);'],
    ['delete run.stalled;', ''],
    ['Math.max(0, Math.floor(percent))', 'Math.max(0, Math.ceil(percent))'],
  ]),
  ...of('core/runs/lifecycle', [
    // On disk before it is acted upon: only what may be done twice goes without a commit.
    ["  'adopt-run',\n  'watch-run',\n];", '];'],
    ["if (action.type === 'start-run') return action.run.state === 'starting';", ''],
    ["cause === 'operator' || cause === 'timeout'", "cause === 'operator'"],
    ['Math.min(ownMs, fenceGraceMs(run, now))', 'ownMs'],
    ['if (!isOurs) this.withhold(run, detail);', ''],
    [
      'this.promote(run.job, now);\n    this.#promoteHeld(run, now);',
      'this.promote(run.job, now);',
    ],
    [
      'this.promote(run.job, now);\n    this.#promoteHeld(run, now);',
      'this.#promoteHeld(run, now);',
    ],
    ['this.#deliveries.close(run, now);', ''],
    ['this.#parts.durability.runEnded(run.id);', ''],
    ["policy === 'continue' && isStarted(run)", "policy === 'continue'"],
    [
      "run.ending?.cause === 'fence' || run.ending?.cause === 'gone'",
      "run.ending?.cause === 'fence'",
    ],
    ['this.#parts.sameWork.settingsChanged();', ''],
    ['this.#parts.resumeHold.forget(pipelineTaskKey(run.id));', ''],
    ['this.#timers.fenceAgain(run);', ''],
  ]),
  ...of(
    'core/lib/secrets',
    [['const ROUNDS_MAX = 4;', 'const ROUNDS_MAX = 1;']],
    'core/lib/secret-rules',
  ),
  ...of('core/lib/secret-tools', [
    ["['mysqlsh'", "['nobody'"],
    ['mydumper myloader', 'mydumper'],
    ['mongoexport ', ''],
    ['valkey-cli ', ''],
    [' freebcp', ''],
    ['cqlsh hdbsql', 'cqlsh'],
    ['vsql ora2pg', 'vsql'],
    ['nzsql nzload', 'nzsql'],
    ["'hdbuserstore'", "'nobody'"],
    ['racadm', 'nobody'],
    ['xfreerdp wfreerdp', 'xfreerdp'],
    ['ipmitool', 'nobody'],
    ['smbcacls ', ''],
    ['pscp ', ''],
    [' crane', ''],
    ["'--src-creds', ", ''],
    ['vault cargo', 'vault'],
    ['add_user: 2, change_password: 2', 'add_user: 2'],
  ]),
  ...of('store/store', [
    // After a reboot everything is written once on the new boot's clock, as soon as there is room.
    ['if (loaded.isMoved || loaded.connection.isCopy) {', 'if (loaded.connection.isCopy) {'],
    ['if (this.#isBehind) this.#putAll(connection);', ''],
    ['if (++this.#commits % COMMITS_PER_TRIM === 0) this.#trim();', ''],
    ['dropJobEvents.run(job);', ''],
    [
      'if (EVENTS[event.event].persisted) putEvent(connection, event);',
      'putEvent(connection, event);',
    ],
    ['[state.runs, state.copiedHostRuns]', '[state.runs]'],
    ['[state.hubTasks, state.copiedHostHubTasks]', '[state.hubTasks]'],
    ['connection.putMetadata.run(BOOT, JSON.stringify(this.#bootId));', ''],
    ["if (database.isTransaction) database.exec('ROLLBACK');", ''],
    [
      "database.exec('COMMIT');\n      this.#isBehind = false;",
      "this.#isBehind = false;\n      database.exec('COMMIT');",
    ],
    [
      'this.#isBehind = this.#state !== undefined;\n    this.#connection = opened;\n  }',
      'this.#connection = opened;\n  }',
    ],
  ]),
  ...of('core/state/rebase', [
    ["['acceptedAt', 'receivedAt', 'madeAt', 'until']", "['acceptedAt', 'madeAt', 'until']"],
    ["['acceptedAt', 'receivedAt', 'madeAt', 'until']", "['receivedAt', 'madeAt', 'until']"],
    ["['acceptedAt', 'receivedAt', 'madeAt', 'until']", "['acceptedAt', 'receivedAt', 'until']"],
    ["if (key === 'until') return moved;", ''],
    ['{ ...moved.promise, isShutdown: true }', '{ ...moved.promise }'],
    ['{ ...clock, at: rebase(clock.at, now) }', 'moved.clock'],
  ]),
  ...of(
    'store/store',
    [['!isTaken || bootId !== this.#bootId', 'bootId !== this.#bootId']],
    'store/read-only',
  ),
  ...of('store/sqlite-errors', [
    ['[IOERR_READ, IOERR_SHORT_READ]', '[IOERR_READ]'],
    ['[IOERR_READ, IOERR_SHORT_READ]', '[IOERR_SHORT_READ]'],
    ['[CORRUPT, NOTADB]', '[NOTADB]'],
    ['[CORRUPT, NOTADB]', '[CORRUPT]'],
    ['code === IOERR_SHMSIZE || ', ''],
    ['(codeOf(error) & PRIMARY) === BUSY', 'codeOf(error) === BUSY'],
  ]),
  ...of('store/row-values', [
    ["    isText(row['job']) &&\n", ''],
    ["    Number.isSafeInteger(row['spawn']) &&\n", ''],
    ["    isInstant(row['requestedAt']) &&\n", ''],
    ["    isObject(definition['stop']);", '    true;'],
    ["    Array.isArray(row['links']);", '    true;'],
    ["    typeof row['lastStampS'] === 'number' &&\n", ''],
  ]),
  ...of(
    'config/build/build',
    [
      // P6: a share of a burst is rounded down.
      ['Math.floor(rate.burst * share)', 'Math.ceil(rate.burst * share)'],
      ['Math.max(1, Math.floor(rate.burst * share))', 'Math.floor(rate.burst * share)'],
      ['perSecond: rate.perSecond * share', 'perSecond: rate.perSecond'],
    ],
    'config/load',
  ),
  ...of('config/reload', [
    ['            region: hub.region,\n', ''],
    ['            stream: hub.stream,\n', ''],
    ['            taskRunnerId: pipeline.taskRunnerId,\n', ''],
    ['hostname: running.hostname,', ''],
    ['adHoc: loaded.agent.adHoc,', ''],
    ['httpHosts: loaded.agent.httpHosts,', ''],
    ["  ['dataPipeline.region', ({ aws }) => aws.dataPipelineRegion],\n", ''],
    ["  ['agent.keepLogs', ({ agent }) => agent.keepLogsMs],\n", ''],
    ["  ['aws.proxy', ({ aws }) => aws.proxy],\n", ''],
    ["  ['fleet.redis', ({ fleet }) => fleet?.redis],\n", ''],
    ['{ share: 1, rates: loaded.settings.rates }', '{ share: 0.5, rates: loaded.settings.rates }'],
  ]),
  ...LISTED_HOST.flatMap(([source, test, changes]) => of(source, changes, test)),
];

function of(
  source: string,
  changes: readonly (readonly [from: string, to: string])[],
  test = source,
): readonly Listed[] {
  return changes.map(([from, to]) => ({
    ...{ file: `src/${source}.ts`, from, to, test: `test/${test}.test.ts` },
  }));
}
