/**
 * `migration-agent dev`: the simulator and the agent in one process, with a state directory that is removed at the end.
 * A first try takes two terminals and no configuration.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfiguration } from '../../config/load.ts';
import type { Log, LogLevel } from '../../ports.ts';
import { createSimulator } from '../../simulator/simulator.ts';
import { openLog } from '../../system/logger.ts';
import { createPeerReader } from '../../system/peer-credentials.ts';
import { createServiceNotifier } from '../../system/service-notifier.ts';
import { createClient } from '../client/client.ts';
import { endJobs } from '../client/end-jobs.ts';
import { CommandFailure } from '../command.ts';
import { printProblems } from '../config/problems.ts';
import { assemble } from '../daemon/compose.ts';
import type { Assembly } from '../daemon/compose.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { print, printLine } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { devCredentials, DEV_HOME_REGION, directions } from './directions.ts';
import { writeDevFiles } from './files.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The grace of a cancel here is a second; the rest is for a busy host. */
const JOBS_END_MS_MAX = 10_000;

export async function runDev(isQuiet: boolean, terminal: Terminal): Promise<ExitCode> {
  const interruption = new AbortController();
  // They stay for the whole clean-up: a second Ctrl-C must not leave half of it behind.
  const interrupt = (): void => interruption.abort();
  for (const signal of SIGNALS) process.on(signal, interrupt);
  const directory = mkdtempSync(join(tmpdir(), 'migration-agent-dev-'));
  const simulator = createSimulator({ homeRegion: DEV_HOME_REGION });
  try {
    const { url } = await simulator.listen(0);
    await runAgent(directory, url, isQuiet, terminal, interruption.signal);
    return EXIT.ok;
  } finally {
    await simulator.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

async function runAgent(
  directory: string,
  simulator: string,
  isQuiet: boolean,
  terminal: Terminal,
  interrupted: AbortSignal,
): Promise<void> {
  const { configuration: file, socket } = writeDevFiles(directory, simulator);
  const environment = devEnvironment(terminal.environment);
  // The SDK looks for some of them in the process itself.
  process.env = environment;
  const loaded = await readConfiguration(file, environment, hostname());
  if (!loaded.ok) {
    printProblems(file, loaded.problems);
    throw new CommandFailure(EXIT.badConfiguration, 'its own configuration is refused');
  }
  const log = isQuiet ? silentLog() : await openLog('info');
  const notifier = await createServiceNotifier({});
  const readPeer = await createPeerReader();
  const assembly = await assemble(loaded.configuration, {
    file,
    environment,
    log,
    notifier,
    readPeer,
  });
  await assembly.control.listen();
  const at = await assembly.listener?.listen();
  const page = at === undefined ? '' : `http://${at.host}:${at.port}/`;
  const lines = directions({ page, simulator, socket, configuration: file });
  for (const line of lines) printLine(terminal, line);
  await untilEnd(assembly, socket, terminal, interrupted);
}

/** Until Ctrl-C, or until the simulated service ends the agent. */
async function untilEnd(
  { agent, control, listener, close }: Assembly,
  socket: string,
  terminal: Terminal,
  interrupted: AbortSignal,
): Promise<void> {
  const ended = agent.run();
  const asked = new Promise<'interrupted'>((resolve) => {
    if (interrupted.aborted) resolve('interrupted');
    interrupted.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  if ((await Promise.race([ended, asked])) === 'interrupted') {
    print(terminal, 'ending the agent and its jobs');
    try {
      await endJobs(createClient(socket), 'dev', JOBS_END_MS_MAX);
    } catch (error) {
      // The agent does not answer: it ends all the same.
      if (!(error instanceof CommandFailure)) throw error;
    }
    agent.stop();
  }
  await ended;
  await listener?.close();
  await control.close();
  close();
}

/** Without what would lead the SDK to real services: a profile, endpoints, the agent's own variables. */
function devEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) =>
      !/^(?:AWS_|MIGRATION_|NOTIFY_SOCKET|LISTEN_|STATE_DIRECTORY|JOURNAL_STREAM)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...devCredentials() };
}

function silentLog(): Log & { setLevel(level: LogLevel): void } {
  return { write: () => undefined, setLevel: () => undefined };
}
