/**
 * The composition root: this folder alone names adapters. Read it to see what the agent is made of. Nothing here
 * decides anything.
 */
import { dirname } from 'node:path';
import { Agent } from '../../agent/agent.ts';
import { Inbox } from '../../agent/inbox.ts';
import { createServices } from '../../aws/services.ts';
import { adHocDefinition } from '../../config/ad-hoc.ts';
import type { Configuration } from '../../config/build/configuration.ts';
import { trackedDefinition } from '../../config/tracked.ts';
import type { HttpListener } from '../../control/http/tcp-listener.ts';
import { createControlServer } from '../../control/http/server.ts';
import type { ControlServer } from '../../control/http/server.ts';
import { maskSecrets } from '../../core/lib/secrets.ts';
import { createJobHost, findCgroupBase, openRunLog } from '../../jobs/job-host.ts';
import { plainDetail } from '../../jobs/lib/plain-text.ts';
import { DETAIL_CHARACTERS_MAX } from '../../jobs/lib/progress.ts';
import { findSources } from '../../jobs/tracked/source.ts';
import { createTrackedWork } from '../../jobs/tracked/tracked-work.ts';
import type { Clock, Log, Services } from '../../ports.ts';
import { lockState } from '../../store/state-lock.ts';
import { openStore } from '../../store/store.ts';
import type { SqliteStore } from '../../store/store.ts';
import { hostZone } from '../../config/lib/host-zone.ts';
import { createCalendar } from '../../system/calendar.ts';
import { createClock } from '../../system/clock.ts';
import { inheritedSocket } from '../../system/inherited-socket.ts';
import type { InheritedSocket } from '../../system/inherited-socket.ts';
import { readHostIdentity } from '../../system/host-identity.ts';
import { createRandom, newSeed } from '../../system/random.ts';
import { checkTrustedPath, checkTrustedPlace, makeDirectory } from '../../system/trusted-path.ts';
import { openFleet, openGates } from './budgets.ts';
import { reload } from './reload.ts';
import type { Surroundings } from './surroundings.ts';
import { VERSION } from '../version.ts';
import { defined } from '../../core/lib/defined.ts';

export interface Assembly {
  readonly agent: Agent;
  readonly control: ControlServer;
  readonly listener?: HttpListener;
  /** Seed of the planner's random numbers: a run of the planner can be repeated from it. */
  readonly seed: number;
  /** Where runs get control groups of their own; absent if this host gives none. */
  readonly cgroupBase?: string;
  /** Closes what `assemble` opened. */
  readonly close: () => void;
}

/** Opens the store and ties all parts together. Throws `StateInUse`, one of the errors that
 * `daemon.ts` calls final, or what the disk reports. */
export async function assemble(
  configuration: Configuration,
  surroundings: Surroundings,
): Promise<Assembly> {
  const { stateDirectory, socket, httpListen } = configuration.agent;
  makeDirectory(stateDirectory, 0o700);
  checkTrustedPath(stateDirectory);
  makeDirectory(dirname(socket), 0o755);
  // systemd made the directory of a socket that it hands over.
  if (inheritedSocket(surroundings.environment) === undefined) checkTrustedPlace(socket);
  const unlock = lockState(stateDirectory, surroundings.log);

  const clock = createClock();
  const store = openStore(stateDirectory, clock.bootId, surroundings.log);
  const inForce = { configuration };
  const seed = newSeed();
  const cgroupBase = findCgroupBase();
  const bare = createServices({
    ...configuration.aws,
    version: VERSION,
    environment: surroundings.environment,
  });
  const metered =
    httpListen === undefined
      ? undefined
      : (await import('./http-listener.ts')).meter(bare, inForce, httpListen, surroundings.log);
  const services = metered?.services ?? bare;
  const parts = { clock, store, inForce, seed, services, cgroupBase, surroundings };
  const agent = createAgent(parts);
  return defined({
    agent,
    control: createControl(agent, parts),
    listener: metered?.listener(agent),
    seed,
    cgroupBase,
    close() {
      store.close();
      unlock();
    },
  });
}

interface Parts {
  readonly clock: Clock;
  readonly store: SqliteStore;
  /** Written by a reload alone. */
  readonly inForce: { configuration: Configuration };
  readonly seed: number;
  readonly services: Services;
  readonly cgroupBase: string | undefined;
  readonly surroundings: Surroundings;
}

function createAgent({
  clock,
  store,
  inForce,
  seed,
  services,
  cgroupBase,
  surroundings,
}: Parts): Agent {
  const { configuration } = inForce;
  const { log, notifier } = surroundings;
  const { stateDirectory, socket, keepLogsMs, backend } = configuration.agent;
  const inbox = new Inbox(clock);
  const post = inbox.post.bind(inbox);
  const { bootId } = clock;
  const fleet = openFleet(configuration, clock, log);
  const gates = openGates(configuration, store, clock, post, fleet);
  const hostIdentity = readHostIdentity();
  return new Agent({
    version: VERSION,
    pid: process.pid,
    settings: configuration.settings,
    clock,
    random: createRandom(seed),
    inbox,
    store,
    gates,
    services,
    jobs: createJobHost(
      defined({
        post,
        stateDirectory,
        socketPath: socket,
        bootId,
        hostIdentity,
        mask: maskSecrets,
        keepLogsMs,
        backend,
        cgroupBase,
      }),
    ),
    tracked: createTrackedWork({ post, bootId, mask: maskSecrets }),
    hostIdentity,
    notifier,
    log,
    calendar: createCalendar(() => hostZone(process.env['TZ']).zone),
    reload: () =>
      reload(surroundings, inForce.configuration, (now) => {
        inForce.configuration = now;
        log.setLevel(now.log.level);
        if (now.fleet !== undefined) fleet?.setRates(now.fleet.share, now.fleet.rates);
        gates.setRates(now.settings.rates);
        post({ type: 'settings-changed', settings: now.settings });
      }),
  });
}

function createControl(agent: Agent, { clock, inForce, surroundings }: Parts): ControlServer {
  const { environment, log, readPeer } = surroundings;
  const { stateDirectory, socket } = inForce.configuration.agent;
  return createControlServer({
    operator: agent,
    version: VERSION,
    socketPath: socket,
    ...defined({ inheritedFd: usableFd(inheritedSocket(environment), socket, log) }),
    log,
    readPeer,
    openLog: (job, run, stream) => openRunLog(stateDirectory, job, run, stream),
    makeDefinition: (body) => {
      const made = adHocDefinition(body, inForce.configuration.settings);
      return made.ok ? made.definition : made.problem;
    },
    adHoc: () => ({ policy: inForce.configuration.agent.adHoc, agentUid: process.getuid?.() }),
    makeTracked: async (bodies, reader) => {
      const sources = await findSources(bodies, clock.bootId, reader);
      return bodies.map((body, index) => {
        const source = sources[index] ?? 'is not known';
        if (typeof source === 'string') return source;
        return trackedDefinition(body, source, inForce.configuration.settings);
      });
    },
    plainDetail: (text) => plainDetail(text, DETAIL_CHARACTERS_MAX, maskSecrets),
  });
}

/** The socket that systemd holds open for the agent, if it is the one that commands connect to. */
function usableFd(
  inherited: InheritedSocket | undefined,
  socket: string,
  log: Log,
): number | undefined {
  if (inherited === undefined) return undefined;
  if (inherited.path === undefined || inherited.path === socket) return inherited.fd;
  log.write('warn', 'control.elsewhere', 'systemd listens on another socket than agent.socket', {
    listenStream: inherited.path,
    socket,
    remedy: 'make ListenStream= of migration-agent.socket and agent.socket the same',
  });
  return undefined;
}
