/** From the configuration file to the running agent, and to its end. */
import type { Configuration } from '../../config/build/configuration.ts';
import { closeInheritedDescriptors } from '../../jobs/job-host.ts';
import { threadPoolAnswers } from '../../jobs/lib/thread-pool.ts';
import { formatWarning } from '../../config/lib/problem.ts';
import type { Log } from '../../ports.ts';
import { StateInUse } from '../../store/state-lock.ts';
import { UnreadableStore } from '../../store/connection.ts';
import { openLog } from '../../system/logger.ts';
import { createPeerReader } from '../../system/peer-credentials.ts';
import { useServiceCredentials } from '../../system/service-credentials.ts';
import { createServiceNotifier } from '../../system/service-notifier.ts';
import { onSignals } from '../../system/signals.ts';
import { UntrustedPath, UnusableDirectory } from '../../system/trusted-path.ts';
import { assemble } from './compose.ts';
import { readTrustedConfiguration } from './trusted-configuration.ts';
import type { Assembly } from './compose.ts';
import { printProblems } from '../config/problems.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { VERSION } from '../version.ts';
import { defined } from '../../core/lib/defined.ts';

/** A disk answers within milliseconds, a very busy one within seconds. */
const THREADS_MS_MAX = 5000;

/** The agent could not start: its state is in use, or the disk refuses. Another attempt may succeed. */
const CANNOT_START: ExitCode = 1;
/** Only an operator can fix these, so systemd does not restart the agent. */
const FINAL = [UnreadableStore, UntrustedPath, UnusableDirectory];

/** Runs until a signal or the service stops it. Resolves to the exit code; problems are on stderr or in the log. */
export async function runDaemon(file: string, environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  // First of all: a signal that comes during the start must not kill the process.
  const signals = new EarlySignals();
  closeInheritedDescriptors();
  useServiceCredentials(environment);
  const loaded = await readTrustedConfiguration(file, environment);
  if (!loaded.ok) {
    printProblems(file, loaded.problems);
    return EXIT.badConfiguration;
  }
  const { configuration } = loaded;
  const log = await openLog(configuration.log.level);
  for (const warning of loaded.warnings) {
    log.write('warn', 'config.risky', 'configuration is riskier than the documents advise', {
      place: formatWarning(file, warning),
    });
  }
  const notifier = await createServiceNotifier(environment);
  const readPeer = await createPeerReader();
  let assembly: Assembly;
  try {
    assembly = await assemble(configuration, { file, environment, log, notifier, readPeer });
  } catch (error) {
    return cannotStart(error, configuration, log);
  }
  try {
    await assembly.control.listen();
    const at = await assembly.listener?.listen();
    log.write('info', 'agent.started', 'migration-agent started', {
      version: VERSION,
      pid: process.pid,
      node: process.version,
      config: file,
      stateDirectory: configuration.agent.stateDirectory,
      socket: configuration.agent.socket,
      ...defined({ http: at === undefined ? undefined : `${at.host}:${at.port}` }),
      seed: assembly.seed,
      cgroup: assembly.cgroupBase ?? 'none',
    });
  } catch (error) {
    assembly.close();
    return cannotStart(error, configuration, log);
  }
  return runAssembly(assembly, signals, log);
}

async function runAssembly(
  { agent, close, control, listener }: Assembly,
  signals: EarlySignals,
  log: Log,
): Promise<ExitCode> {
  signals.obey({
    stop: () => {
      log.write('info', 'agent.stopping', 'stopping; jobs go on', {});
      agent.stop();
    },
    reload: () => {
      agent.reload().catch((err: unknown) => {
        log.write('error', 'config.reload_failed', 'configuration could not be read again', {
          err,
        });
      });
    },
  });
  const code = await agent.run();
  await listener?.close();
  await control.close();
  close();
  log.write('info', 'agent.stopped', 'migration-agent stopped', { exitCode: code });
  // A thread that waits for a dead file system would keep the process for ever; everything is on disk.
  if (!(await threadPoolAnswers(THREADS_MS_MAX))) process.kill(process.pid, 'SIGKILL');
  return code === EXIT.terminated ? EXIT.terminated : EXIT.ok;
}

function cannotStart(error: unknown, { agent }: Configuration, log: Log): ExitCode {
  const isFinal = FINAL.some((kind) => error instanceof kind);
  const isKnown = isFinal || error instanceof StateInUse;
  log.write('fatal', 'agent.not_started', 'the agent cannot start', {
    reason: error instanceof Error ? error.message : String(error),
    stateDirectory: agent.stateDirectory,
    socket: agent.socket,
    ...(isKnown ? {} : { err: error }),
  });
  return isFinal ? EXIT.badConfiguration : CANNOT_START;
}

/** Keeps a signal that comes before the agent exists. */
class EarlySignals {
  #handlers: { stop(): void; reload(): void } | undefined;
  #isStopped = false;

  constructor() {
    onSignals({
      stop: () => {
        this.#isStopped = true;
        this.#handlers?.stop();
      },
      // The configuration has not been read yet, so there is nothing to reload.
      reload: () => this.#handlers?.reload(),
    });
  }

  obey(handlers: { stop(): void; reload(): void }): void {
    this.#handlers = handlers;
    if (this.#isStopped) handlers.stop();
  }
}
