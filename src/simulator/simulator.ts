/**
 * The simulator: the services with a state file and an HTTP server, and the functions that tests, the demo and the
 * `simulate` command use.
 *
 * How to add an operation: add its members to `hub/shapes.ts` or `pipeline/shapes.ts`, its code to one of the groups of
 * `hub/` or `pipeline/`, and its limit, if one is published, to `faults/rate-limits.ts`.
 */
import type { Simulator, SimulatorOptions } from './console/interface.ts';
import { createServer } from './console/server.ts';
import { stateOf } from './console/state.ts';
import { faultRuleSchema } from './faults/rule.ts';
import type { FaultRule } from './faults/rule.ts';
import { readSwitches, showSwitches } from './lib/behaviour.ts';
import { cancelPipeline, submitShellActivity } from './console/quick-pipeline.ts';
import { createServices } from './services.ts';
import type { Services, Snapshot } from './services.ts';
import { createStateSaver, readState } from './state-file.ts';

export type { Simulator, SimulatorOptions };

/** Changes within this real time are one write of the state file. */
const WRITE_DELAY_MS = 100;

export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const { stateFile: file, speed = 1, onStateError = rethrow } = options;
  // The mark and the checksum of the file show that this simulator wrote it.
  const earlier = (file === undefined ? undefined : readState(file)) as Snapshot | undefined;
  const services = createServices(options, earlier, () => saver?.touch());
  const { clock } = services;
  const snapshot = (): Snapshot => services.snapshot();
  const delayMs = WRITE_DELAY_MS * speed;
  const saver =
    file === undefined
      ? undefined
      : createStateSaver({ file, clock, delayMs, snapshot, onError: onStateError });
  if (earlier !== undefined) services.restore(earlier);
  saver?.touch();

  const controls = controlsOf(services, () => saver?.touch());
  controls.addFault(...(options.faults ?? []));
  const server = createServer(controls);
  return {
    ...controls,
    listen: (port) => server.listen(port),
    async close() {
      services.pipeline.close();
      saver?.flush();
      await server.close();
    },
  };
}

/** What the console, tests and the demo read and change while the services run. */
function controlsOf(services: Services, touch: () => void): Omit<Simulator, 'listen' | 'close'> {
  const { clock, behaviour, gateway, audit, journal, limits, faults, homeRegion, pipeline } =
    services;
  return {
    now: () => clock.now(),
    gateway,
    audit: () => audit.report(clock.now()),
    journal: () => journal.entries(),
    state: () => stateOf(services),
    addFault(...rules: readonly FaultRule[]) {
      faults.add(
        rules.map((rule) => faultRuleSchema.parse(rule)),
        clock.now(),
      );
    },
    addFaults(added) {
      faults.add(added, clock.now());
    },
    clearFaults() {
      faults.clear();
    },
    setTerminate(taskRunnerId, terminate = true) {
      pipeline.runners.setTerminate(taskRunnerId, terminate);
      touch();
    },
    switches: () => showSwitches(behaviour),
    setSwitches(changes) {
      const { values, problems } = readSwitches(changes);
      if (problems.length === 0) Object.assign(behaviour, values);
      touch();
      return problems;
    },
    setLimits(changes) {
      limits.change(changes, clock.now());
    },
    setHomeRegion(region) {
      homeRegion.set(region, clock.now());
      touch();
    },
    submitShellActivity(activity) {
      touch();
      return submitShellActivity(pipeline, activity, clock.now());
    },
    cancel(pipelineId) {
      touch();
      return cancelPipeline(pipeline, pipelineId, clock.now());
    },
  };
}

function rethrow(error: Error): never {
  throw error;
}
