/**
 * Decides which parts of a reloaded configuration take effect at once and which wait for a restart. Jobs, rates, intervals,
 * activities, the log level, agent.adHoc and agent.http.hosts apply at once; the state directory, the services and the credentials are fixed at the start.
 */
import { defined } from '../core/lib/defined.ts';
import type { JobDefinition } from '../core/model/job.ts';
import type { Settings } from '../core/model/settings.ts';
import type { Configuration } from './build/configuration.ts';

export interface Reload {
  /** The configuration to use now: the new one, with the old values of the keys that need a restart. */
  readonly configuration: Configuration;
  /** Keys whose new value waits for a restart, in the order of the file. */
  readonly needsRestart: readonly string[];
}

export function planReload(running: Configuration, loaded: Configuration): Reload {
  const needsRestart = FIXED.filter(
    ([, read]) => JSON.stringify(read(running)) !== JSON.stringify(read(loaded)),
  ).map(([key]) => key);
  return {
    configuration: {
      settings: settingsNow(running.settings, loaded.settings),
      aws: running.aws,
      agent: {
        ...running.agent,
        // Who may run commands, and which names a browser may use: what is taken back must count at once.
        adHoc: loaded.agent.adHoc,
        httpHosts: loaded.agent.httpHosts,
      },
      log: loaded.log,
      ...fleetNow(running, loaded),
      warnings: loaded.warnings,
      written: loaded.written,
    },
    // If a section is added or removed, its keys are not listed one by one.
    needsRestart: needsRestart.filter(
      (key) => !needsRestart.some((other) => key.startsWith(`${other}.`)),
    ),
  };
}

/** Keys that are read once, when the agent starts. */
const FIXED: readonly (readonly [string, (configuration: Configuration) => unknown])[] = [
  ['aws.region', ({ aws }) => aws.region],
  ['aws.profile', ({ aws }) => aws.profile],
  ['aws.proxy', ({ aws }) => aws.proxy],
  ['aws.endpoints.migrationHub', ({ aws }) => aws.endpoints.migrationHub],
  ['aws.endpoints.migrationHubConfig', ({ aws }) => aws.endpoints.migrationHubConfig],
  ['aws.endpoints.dataPipeline', ({ aws }) => aws.endpoints.dataPipeline],
  ['migrationHub', ({ settings }) => settings.migrationHub !== undefined],
  ['migrationHub.region', ({ settings }) => settings.migrationHub?.region],
  ['migrationHub.progressUpdateStream', ({ settings }) => settings.migrationHub?.stream],
  ['dataPipeline', ({ settings }) => settings.dataPipeline !== undefined],
  ['dataPipeline.region', ({ aws }) => aws.dataPipelineRegion],
  ['dataPipeline.taskRunnerId', ({ settings }) => settings.dataPipeline?.taskRunnerId],
  ['fleet.redis', ({ fleet }) => fleet?.redis],
  ['fleet.account', ({ fleet }) => accountOf(fleet)],
  ['agent.stateDirectory', ({ agent }) => agent.stateDirectory],
  ['agent.socket', ({ agent }) => agent.socket],
  ['agent.backend', ({ agent }) => agent.backend],
  ['agent.keepLogs', ({ agent }) => agent.keepLogsMs],
  ['agent.http.listen', ({ agent }) => agent.httpListen],
];

/** The account has no meaning without Redis. */
function accountOf(fleet: Configuration['fleet']): string | undefined {
  return fleet?.redis === undefined || fleet.account === 'default' ? undefined : fleet.account;
}

function settingsNow(running: Settings, loaded: Settings): Settings {
  const hub = running.migrationHub;
  const pipeline = running.dataPipeline;
  return defined({
    ...without(loaded, 'migrationHub', 'dataPipeline'),
    hostname: running.hostname,
    migrationHub:
      hub === undefined
        ? undefined
        : defined({
            ...without(loaded.migrationHub ?? hub, 'region'),
            stream: hub.stream,
            region: hub.region,
          }),
    dataPipeline:
      pipeline === undefined
        ? undefined
        : defined({
            ...without(loaded.dataPipeline ?? pipeline, 'taskRunnerId'),
            taskRunnerId: pipeline.taskRunnerId,
          }),
    jobs: jobsNow(running, loaded),
  });
}

/** Jobs apply at once, but are reported to Migration Hub only if the running agent has that destination. */
function jobsNow(running: Settings, loaded: Settings): Settings['jobs'] {
  if ((running.migrationHub === undefined) === (loaded.migrationHub === undefined)) {
    return loaded.jobs;
  }
  return new Map(
    [...loaded.jobs].map(([name, job]): [string, JobDefinition] => {
      const hub = running.jobs.get(name)?.migrationHub;
      const rest = without(job, 'migrationHub');
      return [name, hub === undefined ? rest : { ...rest, migrationHub: hub }];
    }),
  );
}

/** The host joins or leaves a fleet's Redis only at a restart; shares and rates change at once. */
function fleetNow(running: Configuration, loaded: Configuration): Pick<Configuration, 'fleet'> {
  const redis = running.fleet?.redis;
  if (redis === undefined) {
    return loaded.fleet === undefined ? {} : { fleet: without(loaded.fleet, 'redis') };
  }
  const { account } = running.fleet ?? { account: 'default' };
  const { share, rates } = loaded.fleet ?? { share: 1, rates: loaded.settings.rates };
  return { fleet: { redis, account, share, rates } };
}

function without<T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> {
  const entries = Object.entries(value).filter(([key]) => !keys.includes(key as K));
  return Object.fromEntries(entries) as Omit<T, K>;
}
