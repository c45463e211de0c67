/** A real daemon on a real configuration file, in a directory of its own, against a simulator in this process. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../../src/cli/client/client.ts';
import type { Client } from '../../src/cli/client/client.ts';
import type { JobStatus, Status } from '../../src/core/model/status.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts';
import { BUNDLED_LAUNCHER } from './bundled-program.ts';
import { endJobsOf } from './leftovers.ts';
import { until } from './until.ts';

const { ATTACKED_TREE } = process.env;
/** ATTACKED_TREE: another checkout, to see an attack (test/security) succeed against its code. */
export const LAUNCHER =
  ATTACKED_TREE === undefined ? BUNDLED_LAUNCHER : join(ATTACKED_TREE, 'src/migration-agent');

export interface Site {
  readonly directory: string;
  readonly simulator: Simulator;
  readonly url: string;
  readonly client: Client;
  readonly configuration: string;
  /** Starts the daemon, with more variables if given, and waits until it answers. */
  start(environment?: NodeJS.ProcessEnv): Promise<Daemon>;
  status(): Promise<Status>;
  job(name: string): Promise<JobStatus>;
  /** Waits until the job's latest run satisfies `is`. */
  untilJob(name: string, is: (job: JobStatus) => boolean): Promise<JobStatus>;
  /** The daemon's log so far, a line each. */
  log(): Record<string, unknown>[];
  close(): Promise<void>;
}

export interface Daemon {
  readonly process: ChildProcess;
  /** Sends a signal and waits for the end; resolves to the exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** `text` is the YAML below `aws:` and `agent:`, which are filled in. */
export async function createSite(
  text: string,
  options: SimulatorOptions = {},
  launcher = LAUNCHER,
): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-test-'));
  const simulator = createSimulator({ homeRegion: 'eu-central-1', ...options });
  const { url } = await simulator.listen(0);
  const configuration = join(directory, 'config.yaml');
  const socket = join(directory, 'agent.sock');
  writeFileSync(
    configuration,
    `aws:
  region: us-west-2
  endpoints: { migrationHub: "${url}", migrationHubConfig: "${url}", dataPipeline: "${url}" }
agent: { stateDirectory: "${join(directory, 'state')}", socket: "${socket}" }
log: { level: debug }
${text.replaceAll('DIRECTORY', directory)}`,
  );
  const client = createClient(socket);
  const logFile = join(directory, 'agent.log');
  const daemons: ChildProcess[] = [];

  const site: Site = {
    directory,
    simulator,
    url,
    client,
    configuration,
    async start(environment = {}) {
      const output = openSync(logFile, 'a');
      const child = spawn(launcher, ['daemon', '--config', configuration], {
        stdio: ['ignore', output, output],
        env: {
          ...process.env,
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
          AWS_EC2_METADATA_DISABLED: 'true',
          ...environment,
        },
      });
      closeSync(output);
      daemons.push(child);
      await until('the daemon answers', async () => {
        if (child.exitCode !== null)
          throw new Error(`daemon ended: ${readFileSync(logFile, 'utf8')}`);
        try {
          return (await client.get<Status>('/v1/status')).agent.pid === child.pid;
        } catch {
          return false;
        }
      });
      return {
        process: child,
        async end(signal) {
          if (child.exitCode === null && child.signalCode === null) {
            child.kill(signal);
            await once(child, 'exit');
          }
          return child.exitCode ?? child.signalCode ?? 'unknown';
        },
      };
    },
    status: () => client.get<Status>('/v1/status'),
    job: (name) => client.get<JobStatus>(`/v1/jobs/${encodeURIComponent(name)}`),
    async untilJob(name, is) {
      let last: JobStatus | undefined;
      await until(
        `job ${name}`,
        async () => is((last = await site.job(name))),
        () => JSON.stringify(last),
      );
      return site.job(name);
    },
    log: () =>
      readFileSync(logFile, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async close() {
      for (const child of daemons) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await endJobsOf(socket);
      await simulator.close();
      if (process.env['KEEP'] === undefined)
        rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return site;
}

export function isDelivered(job: JobStatus): boolean {
  const { migrationHub, dataPipeline } = job.destinations;
  return (
    job.endedAt !== undefined &&
    migrationHub?.delivery !== 'pending' &&
    dataPipeline?.delivery !== 'pending'
  );
}
