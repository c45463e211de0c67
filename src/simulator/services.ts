/** The three services of one account, with one clock, one gateway and one snapshot of their state. */
import { Auditor } from './audit/audit.ts';
import { createJournal } from './audit/journal.ts';
import type { Journal } from './audit/journal.ts';
import type { SimulatorOptions } from './console/interface.ts';
import { createFaults } from './faults/faults.ts';
import type { Faults } from './faults/faults.ts';
import { createRateLimits } from './faults/rate-limits.ts';
import type { RateLimits } from './faults/rate-limits.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Gateway } from './gateway/gateway.ts';
import { createHomeRegion } from './hub/home-region.ts';
import type { HomeRegion } from './hub/home-region.ts';
import { createMigrationHub } from './hub/migration-hub.ts';
import type { MigrationHub } from './hub/migration-hub.ts';
import type { HubSnapshot } from './hub/records.ts';
import { DEFAULT_BEHAVIOUR } from './lib/behaviour.ts';
import type { Behaviour } from './lib/behaviour.ts';
import { createClock } from './lib/clock.ts';
import type { SimulatorClock } from './lib/clock.ts';
import { createDice } from './lib/dice.ts';
import type { Dice } from './lib/dice.ts';
import { invalidRequest, ServiceError } from './lib/errors.ts';
import { createPager } from './lib/pages.ts';
import { createDataPipeline } from './pipeline/data-pipeline.ts';
import type { DataPipeline, PipelineSnapshot } from './pipeline/data-pipeline.ts';

/** The whole state of the services. It is written as one piece, so that its parts are always consistent. */
export interface Snapshot {
  readonly at: number;
  readonly dice: number;
  readonly behaviour: Behaviour;
  readonly homeRegion: ReturnType<HomeRegion['snapshot']>;
  readonly hub: HubSnapshot;
  readonly pipeline: PipelineSnapshot;
}

export interface Services {
  readonly clock: SimulatorClock;
  readonly behaviour: Behaviour;
  readonly audit: Auditor;
  readonly journal: Journal;
  readonly limits: RateLimits;
  readonly faults: Faults;
  readonly homeRegion: HomeRegion;
  readonly hub: MigrationHub;
  readonly pipeline: DataPipeline;
  readonly gateway: Gateway;
  snapshot(): Snapshot;
  restore(earlier: Snapshot): void;
}

const JOURNAL_SIZE = 10_000;

/** `onChange` is called after each call, and when something has changed because time has passed. */
export function createServices(
  options: SimulatorOptions,
  earlier: Snapshot | undefined,
  onChange: () => void,
): Services {
  const { limits: limitChanges = {}, journalSize = JOURNAL_SIZE, seed = 1 } = options;
  const { enforceLimits = true, dateSkewMs = 0 } = options;
  const clock = options.clock ?? createClock(options.speed ?? 1, earlier?.at);
  const behaviour = { ...DEFAULT_BEHAVIOUR, ...earlier?.behaviour, ...options.behaviour };
  const dice = createDice(seed);
  const audit = new Auditor(behaviour);
  const journal = createJournal(journalSize);
  const limits = createRateLimits(limitChanges, clock.now());
  // Separate random numbers: a new rule does not change the ids that are given out.
  const faults = createFaults(createDice(seed + 1));
  const { homeRegion, hub } = createHub(options, { clock, dice, behaviour, seed });
  const pipeline = createDataPipeline({
    clock,
    dice,
    behaviour,
    pager: createPager({
      secret: secretOf(seed),
      tokenMs: () => Infinity,
      refusal: invalidRequest,
    }),
    observe: audit.observeTask,
    onChange,
  });
  const services = [hub.service, homeRegion.service, pipeline.service];
  const own = { clock, behaviour, audit, journal, limits, faults };
  return {
    ...own,
    homeRegion,
    hub,
    pipeline,
    gateway: createGateway({ ...own, dice, services, enforceLimits, dateSkewMs, onChange }),
    snapshot: () => ({
      at: clock.now(),
      dice: dice.state(),
      behaviour,
      homeRegion: homeRegion.snapshot(),
      hub: hub.records.snapshot(),
      pipeline: pipeline.snapshot(),
    }),
    restore(snapshot) {
      dice.restore(snapshot.dice);
      homeRegion.restore(snapshot.homeRegion);
      hub.records.restore(snapshot.hub);
      pipeline.restore(snapshot.pipeline);
    },
  };
}

function createHub(
  { homeRegion: initial = 'us-west-2' }: SimulatorOptions,
  parts: {
    readonly clock: SimulatorClock;
    readonly dice: Dice;
    readonly behaviour: Behaviour;
    readonly seed: number;
  },
): { readonly homeRegion: HomeRegion; readonly hub: MigrationHub } {
  const { clock, dice, behaviour, seed } = parts;
  const pager = createPager({
    secret: secretOf(seed),
    tokenMs: () => behaviour.pageTokenMs,
    refusal: (message) => new ServiceError(behaviour.badTokenName, message),
  });
  const homeRegion = createHomeRegion({
    initial: initial ?? undefined,
    startedAt: clock.now(),
    dice,
    behaviour,
    pager,
  });
  return { homeRegion, hub: createMigrationHub(homeRegion, behaviour, pager) };
}

/** The secret of pagination tokens, by seed: the same seed gives the same tokens. */
function secretOf(seed: number): string {
  return `seed ${seed}`;
}
