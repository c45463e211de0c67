/**
 * The composition root: the only file that names adapters. Read it to see what the agent is made of. Nothing here
 * decides anything.
 */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { Agent } from '../../agent/agent.ts';
import { Inbox } from '../../agent/inbox.ts';
import { Fleet } from '../../aws/budget/fleet.ts';
import { createGates } from '../../aws/budget/gates.ts';
import type { AdjustableGates } from '../../aws/budget/gates.ts';
import { createServices } from '../../aws/services.ts';
import { adHocDefinition } from '../../config/ad-hoc.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import { readConfiguration } from '../../config/load.ts';
import { formatProblem } from '../../config/lib/problem.ts';
import { planReload } from '../../config/reload.ts';
import { trackedDefinition } from '../../config/tracked.ts';
import { createCallLatency, timedServices } from '../../control/call-latency.ts';
import { createHttpListener } from '../../control/http/tcp-listener.ts';
import type { HttpListener } from '../../control/http/tcp-listener.ts';
import { createRegistry } from '../../control/metrics.ts';
import { createControlServer } from '../../control/http/server.ts';
import type { ControlServer } from '../../control/http/server.ts';
import type { Reply } from '../../core/model/action.ts';
import { steadyPerSecond } from '../../core/scheduling/token-bucket.ts';
import { HUB_OPERATIONS } from '../../core/model/call.ts';
import type { Operation } from '../../core/model/call.ts';
import { maskSecrets } from '../../core/lib/secrets.ts';
import { createJobHost, findCgroupBase, openRunLog } from '../../jobs/job-host.ts';
import { plainDetail } from '../../jobs/lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from '../../jobs/lib/progress.ts';
import { findSources } from '../../jobs/tracked/source.ts';
import { createTrackedWork } from '../../jobs/tracked/tracked-work.ts';
import type { Clock, LogLevel, Log, ServiceNotifier } from '../../ports.ts';
import { lockState } from '../../store/state-lock.ts';
import { openStore } from '../../store/store.ts';
import type { SqliteStore } from '../../store/store.ts';
import { createCalendar } from '../../system/calendar.ts';
import { createClock } from '../../system/clock.ts';
import { inheritedSocket } from '../../system/inherited-socket.ts';
import type { InheritedSocket } from '../../system/inherited-socket.ts';
import type { ReadPeer } from '../../system/peer-credentials.ts';
import { readHostIdentity } from '../../system/host-identity.ts';
import { createRandom, newSeed } from '../../system/random.ts';
import { VERSION } from '../version.ts';

export interface Surroundings {
  /** The configuration file, for a reload. */
  readonly file: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log & { setLevel(level: LogLevel): void };
  readonly notifier: ServiceNotifier;
  readonly readPeer: ReadPeer;
}

export interface Assembly {
  readonly agent: Agent;
  readonly control: ControlServer;
  readonly listener?: HttpListener;
  /** What the dice began with: a run of the planner can be repeated from it. */
  readonly seed: number;
  /** Where runs get control groups of their own; absent: this host gives none. */
  readonly cgroupBase?: string;
  /** Closes what `assemble` opened. */
  readonly close: () => void;
}

/** Opens the store and ties all parts together. Throws `StateInUse`, `UnreadableStore` or what the disk says. */
export function assemble(configuration: Configuration, surroundings: Surroundings): Assembly {
  const { environment, log } = surroundings;
  const { stateDirectory, socket } = configuration.agent;
  mkdirSync(stateDirectory, { recursive: true, mode: 0o750 });
  mkdirSync(dirname(socket), { recursive: true, mode: 0o755 });
  const unlock = lockState(stateDirectory);

  const clock = createClock();
  const store = openStore(stateDirectory, clock.bootId, log);
  const inbox = new Inbox(clock);
  const post = inbox.post.bind(inbox);
  const fleet = openFleet(configuration, clock, log);
  const gates = openGates(configuration, store, clock, post, fleet);
  const running = { configuration };
  const cgroupBase = findCgroupBase();
  const seed = newSeed();
  const services = createServices({ ...configuration.aws, version: VERSION, environment });
  const callLatency = createCallLatency();

  const agent = new Agent({
    version: VERSION,
    pid: process.pid,
    settings: configuration.settings,
    clock,
    random: createRandom(seed),
    inbox,
    store,
    gates,
    services: timedServices(services, callLatency),
    jobs: createJobHost({
      post,
      stateDirectory,
      socketPath: socket,
      bootId: clock.bootId,
      mask: maskSecrets,
      keepLogsMs: configuration.agent.keepLogsMs,
      backend: configuration.agent.backend,
      ...(cgroupBase === undefined ? {} : { cgroupBase }),
    }),
    tracked: createTrackedWork({ post, bootId: clock.bootId, mask: maskSecrets }),
    hostIdentity: readHostIdentity(),
    notifier: surroundings.notifier,
    log,
    calendar: createCalendar(),
    reload: () =>
      reload(surroundings, running.configuration, (now) => {
        running.configuration = now;
        log.setLevel(now.log.level);
        if (now.fleet !== undefined) fleet?.setRates(now.fleet.share, now.fleet.rates);
        gates.setRates(now.settings.rates);
        post({ type: 'settings-changed', settings: now.settings });
      }),
  });
  const inherited = usableFd(inheritedSocket(environment), socket, log);
  const control = createControlServer({
    operator: agent,
    version: VERSION,
    socketPath: socket,
    ...(inherited === undefined ? {} : { inheritedFd: inherited }),
    log,
    readPeer: surroundings.readPeer,
    openLog: (job, run, stream) => openRunLog(stateDirectory, job, run, stream),
    makeDefinition: (body) => {
      const made = adHocDefinition(body, running.configuration.settings);
      return made.ok ? made.definition : made.problem;
    },
    makeTracked: async (bodies) => {
      const sources = await findSources(bodies, clock.bootId);
      return bodies.map((body, index) => {
        const source = sources[index] ?? 'is not known';
        if (typeof source === 'string') return source;
        return trackedDefinition(body, source, running.configuration.settings);
      });
    },
    plainDetail: (text) => plainDetail(text, DETAIL_CHARACTERS_MAX, maskSecrets),
  });
  const { httpListen } = configuration.agent;
  const registry = createRegistry(agent, callLatency);
  return {
    agent,
    control,
    ...(httpListen === undefined
      ? {}
      : {
          listener: createHttpListener({
            listen: addressOf(httpListen),
            operator: agent,
            registry,
            log,
          }),
        }),
    seed,
    ...(cgroupBase === undefined ? {} : { cgroupBase }),
    close() {
      store.close();
      unlock();
    },
  };
}

/** The socket that systemd holds open for us, where it is the one that commands look for. */
function usableFd(
  inherited: InheritedSocket | undefined,
  socket: string,
  log: Log,
): number | undefined {
  if (inherited === undefined) return undefined;
  if (inherited.path === undefined || inherited.path === socket) return inherited.fd;
  log.write('warn', 'control.elsewhere', 'systemd listens elsewhere than agent.socket says', {
    listenStream: inherited.path,
    socket,
    remedy: 'make ListenStream= of migration-agent.socket and agent.socket the same',
  });
  return undefined;
}

/** The gates, filled as the last agent left them: empty where it crashed, for it may have spent everything (P6). */
function openGates(
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
  return createGates({
    rates: settings.rates,
    post,
    monotonicMs: () => clock.now().bootMs,
    persisted: !isFirstStart,
    ...(saved === undefined ? {} : { levels: new Map(levels) }),
    ...(fleet === undefined ? {} : { fleet }),
  });
}

/**
 * This host's place in the fleet's Redis. A budget is one account's, and Data Pipeline's one region's too; all writes to
 * Migration Hub go to the one home region of the account. Hosts are told apart by name and state directory.
 */
function openFleet(
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
    // Dice of its own: a run of the planner is repeated from its seed.
    random: createRandom(newSeed()),
    log,
  });
}

function isHubOperation(operation: Operation): boolean {
  return (HUB_OPERATIONS as readonly Operation[]).includes(operation);
}

/** Reads the file again. A bad one is refused with its problems, and the old one stays in force. */
async function reload(
  { file, environment, log, notifier }: Surroundings,
  running: Configuration,
  apply: (configuration: Configuration) => void,
): Promise<Reply> {
  notifier.reloading();
  try {
    const loaded = await readConfiguration(file, environment, hostname());
    if (!loaded.ok) {
      const problems = loaded.problems.map((problem) => formatProblem(file, problem));
      log.write('error', 'config.refused', 'new configuration refused; the old one stays', {
        problems,
      });
      return { ok: false, code: 'invalid', message: problems.join('\n') };
    }
    const { configuration, needsRestart } = planReload(running, loaded.configuration);
    apply(configuration);
    log.write('info', 'config.reloaded', 'configuration read again', { needsRestart });
    const rest =
      needsRestart.length === 0 ? '' : `; wait for a restart: ${needsRestart.join(', ')}`;
    return { ok: true, message: `${file} applied${rest}` };
  } finally {
    notifier.ready();
  }
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
