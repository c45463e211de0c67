/** Values that stand neither in the file nor in the schema: from the environment, or made of other keys. */
import {
  defaultTask,
  regionOfEnvironment,
  SHARE_WITH_REDIS,
  socketOfEnvironment,
  stateDirectoryOfEnvironment,
} from './build.ts';
import type { Built } from './build.ts';
import type { Derived } from './configuration.ts';
import type { Environment } from '../lib/document.ts';
import type { ConfigurationFile } from '../schema/schema.ts';

/** By dotted key. They replace what the file says only where the environment wins. */
export function derivedValues(
  file: ConfigurationFile,
  built: Built,
  environment: Environment,
): ReadonlyMap<string, Derived> {
  const derived = new Map<string, Derived>();
  const add = (key: string, value: string, source: Derived['source'] = 'default') =>
    derived.set(key, { value, source });

  const region = regionOfEnvironment(environment);
  if (file.aws.region === undefined && region !== undefined)
    add('aws.region', region, 'environment');
  if (stateDirectoryOfEnvironment(environment) !== undefined) {
    add('agent.stateDirectory', built.agent.stateDirectory, 'environment');
  }
  if (file.agent.socket === undefined) {
    const given = socketOfEnvironment(environment) !== undefined;
    add('agent.socket', built.agent.socket, given ? 'environment' : 'default');
  }
  if (file.migrationHub !== undefined && file.migrationHub.region === undefined) {
    add('migrationHub.region', 'the home region, asked from GetHomeRegion');
  }
  if (file.dataPipeline !== undefined) {
    const from = file.aws.region === undefined ? 'environment' : 'default';
    if (file.dataPipeline.region === undefined) {
      add('dataPipeline.region', built.aws.dataPipelineRegion ?? '', from);
    }
    if (file.dataPipeline.taskRunnerId === undefined) {
      add('dataPipeline.taskRunnerId', 'made once, kept in the state directory');
    }
  }
  if (file.fleet !== undefined && file.fleet.share === undefined) {
    add('fleet.share', String(SHARE_WITH_REDIS));
  }
  addRates(file, built, add);
  for (const [name, job] of Object.entries(file.jobs)) {
    if (file.migrationHub === undefined || job.migrationHub === false) continue;
    if (job.migrationHub.task === undefined) {
      add(`jobs.${name}.migrationHub.task`, defaultTask(job.schedule !== undefined));
    }
  }
  return derived;
}

/** The budget that each operation of Data Pipeline has where the file names none, before the share. */
function addRates(
  file: ConfigurationFile,
  built: Built,
  add: (key: string, value: string) => void,
): void {
  if (file.dataPipeline === undefined) return;
  const rates = built.fleet?.rates ?? built.settings.rates;
  for (const operation of [
    'PollForTask',
    'ReportTaskProgress',
    'SetTaskStatus',
    'ReportTaskRunnerHeartbeat',
  ] as const) {
    if (file.dataPipeline.rates[operation] !== undefined) continue;
    add(`dataPipeline.rates.${operation}.perSecond`, String(rates[operation].perSecond));
    add(`dataPipeline.rates.${operation}.burst`, String(rates[operation].burst));
  }
}
