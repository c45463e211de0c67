/**
 * The simulator put together: three services on one clock behind one gateway, with what a test, the demo
 * or the `simulate` command needs around them.
 *
 * How to add an operation: its members in `hub-shapes.ts` or `pipeline-shapes.ts`; its work in one of the
 * groups (`hub-*.ts`, `pipeline-*.ts`, `task-runner.ts`); its limit, if one is published, in `rate-limits.ts`.
 */
import { Auditor } from './audit/audit.ts';
import { DEFAULT_BEHAVIOUR, readSwitches, showSwitches } from './lib/behaviour.ts';
import type { Behaviour } from './lib/behaviour.ts';
import { createClock } from './lib/clock.ts';
import { createDataPipeline } from './pipeline/data-pipeline.ts';
import type { DataPipeline, PipelineSnapshot } from './pipeline/data-pipeline.ts';
import { createDice } from './lib/dice.ts';
import { invalidRequest, ServiceError } from './lib/errors.ts';
import { faultRuleSchema } from './faults/rule.ts';
import type { FaultRule } from './faults/rule.ts';
import { createFaults } from './faults/faults.ts';
import { createGateway } from './gateway/gateway.ts';
import type { HubSnapshot } from './hub/records.ts';
import { createHomeRegion } from './hub/home-region.ts';
import type { HomeRegion } from './hub/home-region.ts';
import { createJournal } from './audit/journal.ts';
import { createMigrationHub } from './hub/migration-hub.ts';
import { createPager } from './lib/pages.ts';
import { cancelPipeline, submitShellActivity } from './pipeline/quick-pipeline.ts';
import { createRateLimits } from './faults/rate-limits.ts';
import { createServer } from './console/server.ts';
import { createStateSaver, readState } from './state-file.ts';
import type { Simulator, SimulatorOptions } from './console/interface.ts';

import { stateOf } from './console/state.ts';

export type { Simulator, SimulatorOptions };

/** Real time in which changes are gathered for one write of the state file. */
const WRITE_DELAY_MS = 100;

/** All that the services remember; written as one piece, so that what belongs together stays so. */
interface Snapshot {
  readonly at: number;
  readonly dice: number;
  readonly behaviour: Behaviour;
  readonly homeRegion: ReturnType<HomeRegion['snapshot']>;
  readonly hub: HubSnapshot;
  readonly pipeline: PipelineSnapshot;
}

function rethrow(error: Error): never {
  throw error;
}

export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const { stateFile, speed = 1 } = options;
  // Only this simulator writes such files, which their checksum shows.
  const earlier = (stateFile === undefined ? undefined : readState(stateFile)) as
    Snapshot | undefined;
  const clock = options.clock ?? createClock(speed, earlier?.at);
  const behaviour = { ...DEFAULT_BEHAVIOUR, ...earlier?.behaviour, ...options.behaviour };
  const seed = options.seed ?? 1;
  const dice = createDice(seed);
  const startedAt = clock.now();
  const audit = new Auditor(behaviour);
  const journal = createJournal(options.journalSize ?? 10_000);
  const limits = createRateLimits(options.limits ?? {}, startedAt);
  // Dice of their own: a rule that is added does not change the ids that are given out.
  const faults = createFaults(createDice(seed + 1));
  const secret = `seed ${seed}`;
  const hubPager = createPager({
    secret,
    tokenMs: () => behaviour.pageTokenMs,
    refusal: (message) => new ServiceError(behaviour.badTokenName, message),
  });
  const pipelinePager = createPager({
    secret,
    tokenMs: () => Infinity,
    refusal: invalidRequest,
  });

  const initial =
    options.homeRegion === undefined ? 'us-west-2' : (options.homeRegion ?? undefined);
  const homeRegion = createHomeRegion({
    initial,
    startedAt,
    dice,
    behaviour,
    pager: hubPager,
  });
  const hub = createMigrationHub(homeRegion, behaviour, hubPager);
  const pipeline: DataPipeline = createDataPipeline({
    clock,
    dice,
    behaviour,
    pager: pipelinePager,
    observe: audit.observeTask,
    onChange: () => keeper?.touch(),
  });
  const gateway = createGateway({
    clock,
    dice,
    behaviour,
    services: [hub.service, homeRegion.service, pipeline.service],
    limits,
    enforceLimits: options.enforceLimits ?? true,
    faults,
    journal,
    audit,
    dateSkewMs: options.dateSkewMs ?? 0,
    onChange: () => keeper?.touch(),
  });
  const snapshot = (): Snapshot => ({
    at: clock.now(),
    dice: dice.state(),
    behaviour,
    homeRegion: homeRegion.snapshot(),
    hub: hub.records.snapshot(),
    pipeline: pipeline.snapshot(),
  });
  if (earlier !== undefined) {
    dice.restore(earlier.dice);
    homeRegion.restore(earlier.homeRegion);
    hub.records.restore(earlier.hub);
  }
  const keeper =
    stateFile === undefined
      ? undefined
      : createStateSaver({
          file: stateFile,
          clock,
          delayMs: WRITE_DELAY_MS * speed,
          snapshot,
          onError: options.onStateError ?? rethrow,
        });
  if (earlier !== undefined) pipeline.restore(earlier.pipeline);
  keeper?.touch();
  const addFault = (...rules: readonly FaultRule[]): void => {
    faults.add(
      rules.map((rule) => faultRuleSchema.parse(rule)),
      clock.now(),
    );
  };
  addFault(...(options.faults ?? []));

  const simulator: Simulator = {
    listen: (port) => server.listen(port),
    async close() {
      pipeline.close();
      keeper?.flush();
      await server.close();
    },
    now: () => clock.now(),
    gateway,
    audit: () => audit.report(clock.now()),
    journal: () => journal.entries(),
    state: () => stateOf({ clock, homeRegion, hub, pipeline, faults }),
    addFault,
    addFaults(added) {
      faults.add(added, clock.now());
    },
    clearFaults() {
      faults.clear();
    },
    setTerminate(taskRunnerId, terminate = true) {
      pipeline.runners.setTerminate(taskRunnerId, terminate);
      keeper?.touch();
    },
    switches: () => showSwitches(behaviour),
    setSwitches(changes) {
      const { values, problems } = readSwitches(changes);
      if (problems.length === 0) Object.assign(behaviour, values);
      keeper?.touch();
      return problems;
    },
    setLimits(changes) {
      limits.change(changes, clock.now());
    },
    setHomeRegion(region) {
      homeRegion.set(region, clock.now());
      keeper?.touch();
    },
    submitShellActivity(activity) {
      keeper?.touch();
      return submitShellActivity(pipeline, activity, clock.now());
    },
    cancel(pipelineId) {
      keeper?.touch();
      return cancelPipeline(pipeline, pipelineId, clock.now());
    },
  };
  const server = createServer(simulator);
  return simulator;
}
