/** Values that are neither in the file nor in the schema: from the environment, or derived from other keys. */
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

type Add = (key: string, value: string, source?: Derived['source']) => void;

/** By dotted key. A derived value replaces the one in the file only if the environment takes precedence. */
export function derivedValues(
  file: ConfigurationFile,
  built: Built,
  environment: Environment,
  isProfileRegion: boolean,
): ReadonlyMap<string, Derived> {
  const derived = new Map<string, Derived>();
  const add: Add = (key, value, source = 'default') => derived.set(key, { value, source });
  addAws(file, environment, isProfileRegion, add);
  addAgent(file, built, environment, add);
  addDestinations(file, built, isProfileRegion, add);
  if (file.fleet !== undefined && file.fleet.share === undefined) {
    add('fleet.share', String(SHARE_WITH_REDIS));
  }
  addRates(file, built, add);
  addTasks(file, add);
  return derived;
}

function addAws(
  file: ConfigurationFile,
  environment: Environment,
  isProfileRegion: boolean,
  add: Add,
): void {
  const region = regionOfEnvironment(environment);
  if (file.aws.region === undefined && region !== undefined) {
    add('aws.region', region, isProfileRegion ? 'profile' : 'environment');
  }
}

function addAgent(file: ConfigurationFile, built: Built, environment: Environment, add: Add): void {
  if (stateDirectoryOfEnvironment(environment) !== undefined) {
    add('agent.stateDirectory', built.agent.stateDirectory, 'environment');
  }
  if (file.agent.socket === undefined) {
    const isFromEnvironment = socketOfEnvironment(environment) !== undefined;
    add('agent.socket', built.agent.socket, isFromEnvironment ? 'environment' : 'default');
  }
}

function addDestinations(
  file: ConfigurationFile,
  built: Built,
  isProfileRegion: boolean,
  add: Add,
): void {
  if (file.migrationHub !== undefined && file.migrationHub.region === undefined) {
    add('migrationHub.region', 'the home region, asked from GetHomeRegion');
  }
  if (file.dataPipeline === undefined) return;
  if (file.dataPipeline.region === undefined) {
    const elsewhere = isProfileRegion ? 'profile' : 'environment';
    const source = file.aws.region === undefined ? elsewhere : 'default';
    add('dataPipeline.region', built.aws.dataPipelineRegion ?? '', source);
  }
  if (file.dataPipeline.taskRunnerId === undefined) {
    add('dataPipeline.taskRunnerId', 'made once, kept in the state directory');
  }
}

function addTasks(file: ConfigurationFile, add: Add): void {
  if (file.migrationHub === undefined) return;
  for (const [name, job] of Object.entries(file.jobs)) {
    if (job.migrationHub === false || job.migrationHub.task !== undefined) continue;
    add(`jobs.${name}.migrationHub.task`, defaultTask(job.schedule !== undefined));
  }
}

/** The budget of each operation of Data Pipeline that is not in the file, before the share is applied. */
function addRates(file: ConfigurationFile, built: Built, add: Add): void {
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
