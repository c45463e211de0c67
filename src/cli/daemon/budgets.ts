/** The gates of this host's budgets, and its place in the fleet's shared ones. */
import { Fleet } from '../../aws/budget/fleet.ts';
import { createGates } from '../../aws/budget/gates.ts';
import type { AdjustableGates } from '../../aws/budget/gates.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import { defined } from '../../core/lib/defined.ts';
import { HUB_OPERATIONS } from '../../core/model/call.ts';
import type { Operation } from '../../core/model/call.ts';
import { steadyPerSecond } from '../../core/scheduling/token-bucket.ts';
import type { Inbox } from '../../agent/inbox.ts';
import type { Clock, Log } from '../../ports.ts';
import type { SqliteStore } from '../../store/store.ts';
import { createRandom, newSeed } from '../../system/random.ts';

/** The gates, filled as the last agent left them: empty if it crashed, since it may have spent everything (P6). */
export function openGates(
  { settings }: Configuration,
  store: SqliteStore,
  clock: Clock,
  post: Inbox['post'],
  fleet: Fleet | undefined,
): AdjustableGates {
  const isFirstStart = store.isNew();
  const saved = store.takeGateLevels(clock.now());
  const levels = [...(saved?.levels ?? [])].map(([operation, level]) => {
    const earned = (steadyPerSecond(settings.rates[operation]) * (saved?.ageMs ?? 0)) / 1000;
    return [operation, level + earned] as const;
  });
  return createGates(
    defined({
      rates: settings.rates,
      post,
      monotonicMs: () => clock.now().bootMs,
      persisted: !isFirstStart,
      levels: saved === undefined ? undefined : new Map(levels),
      fleet,
    }),
  );
}

/**
 * This host's place in the fleet's Redis. A budget is one account's, and Data Pipeline's one region's too; all writes to
 * Migration Hub go to the one home region of the account. Name and state directory together identify a host.
 */
export function openFleet(
  { agent, aws, fleet, settings }: Configuration,
  clock: Clock,
  log: Log,
): Fleet | undefined {
  if (fleet?.redis === undefined) return undefined;
  return new Fleet({
    url: fleet.redis,
    account: fleet.account,
    host: `${settings.hostname}:${agent.stateDirectory}`,
    share: fleet.share,
    rates: fleet.rates,
    scopeOf: (operation) =>
      isHubOperation(operation) ? 'mgh' : `datapipeline:${aws.dataPipelineRegion ?? ''}`,
    monotonicMs: () => clock.now().bootMs,
    // A generator of its own: a run of the planner can be repeated from its seed.
    random: createRandom(newSeed()),
    log,
  });
}

function isHubOperation(operation: Operation): boolean {
  return (HUB_OPERATIONS as readonly Operation[]).includes(operation);
}
