/**
 * `migration-agent daemon`, and the composition root: the only file that names adapters. Read it to see what the
 * agent is made of.
 */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { Agent } from '../agent/agent.ts';
import { Inbox } from '../agent/inbox.ts';
import { createGates } from '../aws/gates.ts';
import type { AdjustableGates } from '../aws/gates.ts';
import { createServices } from '../aws/services.ts';
import { adHocDefinition } from '../config/ad-hoc.ts';
import type { Configuration } from '../config/configuration.ts';
import { readConfiguration } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { planReload } from '../config/reload.ts';
import { createHttpListener } from '../control/http-listener.ts';
import { createRegistry } from '../control/metrics.ts';
import { createControlServer } from '../control/server.ts';
import type { Reply } from '../core/action.ts';
import { maskSecrets } from '../core/secrets.ts';
import { createJobHost, runLogPaths } from '../jobs/job-host.ts';
import type { Clock } from '../ports.ts';
import { StateInUse, lockState } from '../store/state-lock.ts';
import { UnreadableStore, openStore } from '../store/store.ts';
import type { SqliteStore } from '../store/store.ts';
import { createClock } from '../system/clock.ts';
import { createLog } from '../system/logger.ts';
import { createRandom, newSeed } from '../system/random.ts';
import { createSchedules } from '../system/schedules.ts';
import { createServiceNotifier } from '../system/service-notifier.ts';
import { onSignals } from '../system/signals.ts';
import { action, newCommand } from './command.ts';
import { BAD_CONFIGURATION, complainAbout, configFile } from './config.ts';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { processTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** The agent could not begin: state in use, unreadable, no rights. */
const CANNOT_START = 1;

export function daemonCommand(terminal: Terminal = processTerminal()): Command {
  return newCommand(
    'daemon',
    {
      description: 'run the agent in the foreground, as systemd does',
      example: 'migration-agent daemon --config /etc/migration-agent/config.yaml',
    },
    terminal,
  )
    .option('--config <file>', 'the configuration file')
    .action(
      action(terminal, (options: { config?: string }) =>
        runDaemon(configFile(options.config, terminal.environment), terminal.environment),
      ),
    );
}

/** Runs until it is told to stop. Resolves to the exit code; problems are on stderr or in the log. */
export async function runDaemon(file: string, environment: NodeJS.ProcessEnv): Promise<ExitCode> {
  // First of all: a signal during the start must not be the default death.
  let stop: (() => void) | undefined;
  let reload: (() => void) | undefined;
  let isStopped = false;
  const forgetSignals = onSignals({
    stop: () => {
      isStopped = true;
      stop?.();
    },
    reload: () => reload?.(),
  });

  const loaded = await readConfiguration(file, environment, hostname());
  if (!loaded.ok) {
    complainAbout(file, loaded.problems);
    return BAD_CONFIGURATION;
  }
  const { configuration } = loaded;
  const log = createLog({ level: configuration.log.level });
  for (const warning of loaded.warnings) {
    log.write('warn', 'config.risky', 'configuration is riskier than the documents advise', {
      place: formatProblem(file, warning),
    });
  }

  const { stateDirectory, socket } = configuration.agent;
  const clock = createClock();
  let unlock: () => void;
  let store: SqliteStore;
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o750 });
    mkdirSync(dirname(socket), { recursive: true, mode: 0o755 });
    unlock = lockState(stateDirectory);
    store = openStore(stateDirectory, clock.bootId, log);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isKnown = error instanceof StateInUse || error instanceof UnreadableStore;
    log.write('fatal', 'agent.not_started', 'the agent cannot start', {
      reason,
      stateDirectory,
      ...(isKnown ? {} : { err: error }),
    });
    return CANNOT_START;
  }

  const seed = newSeed();
  const inbox = new Inbox(clock);
  const post = inbox.post.bind(inbox);
  const gates = openGates(configuration, store, clock, post);
  const schedules = createSchedules(
    (job) => post({ type: 'start-requested', job, origin: 'schedule' }),
    log,
  );
  const notifier = await createServiceNotifier(environment);
  let running = configuration;

  const agent = new Agent({
    version: VERSION,
    pid: process.pid,
    settings: configuration.settings,
    clock,
    random: createRandom(seed),
    inbox,
    store,
    gates,
    services: createServices({
      ...configuration.aws,
      version: VERSION,
      environment,
    }),
    jobs: createJobHost({
      post,
      stateDirectory,
      socketPath: socket,
      bootId: clock.bootId,
      mask: maskSecrets,
    }),
    notifier,
    log,
    nextStartMs: () => schedules.nextStartMs(),
    reload: async () => {
      notifier.reloading();
      const reply = await reloadFrom(file, environment, running, (now) => {
        running = now;
        log.setLevel(now.log.level);
        gates.setRates(now.settings.rates);
        schedules.apply(now.settings.jobs);
        post({ type: 'settings-changed', settings: now.settings });
      });
      notifier.ready();
      log.write(
        reply.ok ? 'info' : 'error',
        reply.ok ? 'config.reloaded' : 'config.refused',
        reply.ok ? 'configuration read again' : 'new configuration refused; the old one stays',
        { words: reply.words },
      );
      return reply;
    },
  });

  const control = createControlServer({
    operator: agent,
    version: VERSION,
    socketPath: socket,
    log,
    logPaths: (job, run) => runLogPaths(stateDirectory, job, run),
    makeDefinition: (body) => {
      const made = adHocDefinition(body, running.settings);
      return made.ok ? made.definition : made.problem;
    },
  });
  const listener =
    configuration.agent.httpListen === undefined
      ? undefined
      : createHttpListener({
          listen: address(configuration.agent.httpListen),
          operator: agent,
          registry: createRegistry(agent),
          log,
        });

  try {
    await control.listen();
    const at = await listener?.listen();
    log.write('info', 'agent.started', 'migration-agent started', {
      version: VERSION,
      pid: process.pid,
      node: process.version,
      config: file,
      stateDirectory,
      socket,
      ...(at === undefined ? {} : { http: `${at.host}:${at.port}` }),
      seed,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.write('fatal', 'agent.not_started', 'the agent cannot start', { reason, socket });
    store.close();
    unlock();
    return CANNOT_START;
  }

  stop = () => {
    log.write('info', 'agent.stopping', 'stopping; jobs go on', {});
    agent.stop();
  };
  reload = () => {
    agent.reload().catch((err: unknown) => {
      log.write('error', 'config.refused', 'configuration could not be read again', { err });
    });
  };
  schedules.apply(configuration.settings.jobs);
  if (isStopped) agent.stop();
  const code = await agent.run();

  schedules.close();
  await listener?.close();
  await control.close();
  store.close();
  unlock();
  forgetSignals();
  log.write('info', 'agent.stopped', 'migration-agent stopped', { exitCode: code });
  return code === EXIT.terminated ? EXIT.terminated : EXIT.ok;
}

function openGates(
  { settings }: Configuration,
  store: SqliteStore,
  clock: Clock,
  post: Inbox['post'],
): AdjustableGates {
  const isNew = store.isNew();
  const saved = store.takeGateLevels(clock.now());
  const levels =
    saved &&
    new Map(
      [...saved.levels].map(([operation, level]) => {
        const earned = (settings.rates[operation].perSecond * saved.ageMs) / 1000;
        return [operation, level + earned] as const;
      }),
    );
  return createGates({
    rates: settings.rates,
    post,
    monotonicMs: () => clock.now().bootMs,
    persisted: !isNew,
    ...(levels === undefined ? {} : { levels }),
  });
}

async function reloadFrom(
  file: string,
  environment: NodeJS.ProcessEnv,
  running: Configuration,
  apply: (configuration: Configuration) => void,
): Promise<Reply> {
  const loaded = await readConfiguration(file, environment, hostname());
  if (!loaded.ok) {
    const words = loaded.problems.map((problem) => formatProblem(file, problem)).join('\n');
    return { ok: false, code: 'invalid', words };
  }
  const { configuration, needsRestart } = planReload(running, loaded.configuration);
  apply(configuration);
  const waiting =
    needsRestart.length === 0 ? '' : `; waits for a restart: ${needsRestart.join(', ')}`;
  return { ok: true, words: `${file} applied${waiting}` };
}

function address({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
