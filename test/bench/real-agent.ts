/** The agent as src/cli/daemon/compose.ts builds it, with the settings of the bench and, if one is given, another job host. */
import { rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../../src/agent/agent.ts';
import { Inbox } from '../../src/agent/inbox.ts';
import { createGates } from '../../src/aws/budget/gates.ts';
import { createServices } from '../../src/aws/services.ts';
import { EMPTY_CALENDAR } from '../../src/core/runs/schedules.ts';
import { blindTracking } from '../support/ports.ts';
import type { Event } from '../../src/core/model/event.ts';
import { defined } from '../../src/core/lib/defined.ts';
import { maskSecrets } from '../../src/core/lib/secrets.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import { createJobHost, findCgroupBase } from '../../src/jobs/job-host.ts';
import type { Clock, JobHost, Post } from '../../src/ports.ts';
import { openStore } from '../../src/store/store.ts';
import type { SqliteStore } from '../../src/store/store.ts';
import { createClock } from '../../src/system/clock.ts';
import { createLog } from '../../src/system/logger.ts';
import { createRandom } from '../../src/system/random.ts';

export interface RealAgentOptions {
  readonly url: string;
  readonly settings: Settings;
  /** Sees each event before the agent does. */
  readonly see?: (event: Event) => void;
  /** In the place of the real one. */
  readonly jobs?: (post: Post) => JobHost;
  /** Of an earlier agent. Default: a new one, which is removed at the end. */
  readonly directory?: string;
  /** What an earlier agent left. */
  readonly fill?: (store: SqliteStore, clock: Clock) => void;
}

export interface RealAgent {
  readonly post: Post;
  /** Ends it and removes its directory. */
  end(): Promise<void>;
}

class SeenInbox extends Inbox {
  readonly #see: (event: Event) => void;

  constructor(clock: Clock, see: (event: Event) => void) {
    super(clock);
    this.#see = see;
  }

  override post(event: Event): void {
    this.#see(event);
    super.post(event);
  }
}

const NOTIFIER = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  status: () => undefined,
  alive: () => undefined,
};

export function startAgent(options: RealAgentOptions): RealAgent {
  const { settings, url } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'migration-agent-bench-'));
  const clock = createClock();
  const log = createLog({ level: 'info' });
  const store = openStore(directory, clock.bootId, log);
  if (options.fill !== undefined) {
    store.load(clock.now());
    options.fill(store, clock);
  }
  const inbox = new SeenInbox(clock, options.see ?? (() => undefined));
  const post = inbox.post.bind(inbox);
  const agent = new Agent({
    version: 'bench',
    pid: process.pid,
    settings,
    clock,
    random: createRandom(1),
    inbox,
    store,
    gates: createGates({ rates: settings.rates, post, monotonicMs: () => clock.now().bootMs }),
    services: createServices({
      region: 'eu-central-1',
      endpoints: { migrationHub: url, migrationHubConfig: url, dataPipeline: url },
      version: 'bench',
      environment: {},
    }),
    tracked: blindTracking(),
    jobs:
      options.jobs?.(post) ??
      createJobHost({
        post,
        stateDirectory: directory,
        socketPath: join(directory, 'agent.sock'),
        bootId: clock.bootId,
        mask: maskSecrets,
        ...defined({ cgroupBase: findCgroupBase() }),
      }),
    notifier: NOTIFIER,
    log,
    reload: () => Promise.resolve({ ok: true, message: '' }),
    calendar: EMPTY_CALENDAR,
  });
  const running = agent.run();
  return {
    post,
    async end() {
      agent.stop();
      await running;
      store.close();
      if (options.directory === undefined)
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Jobs that are there and do nothing: an agent's own work alone is measured. */
export function idleJobs(post: Post): JobHost {
  return {
    start: (run) =>
      post({
        type: 'run-started',
        run: run.id,
        process: { pid: 1000, bootId: 'none', startTicks: '1' },
      }),
    adopt: (run) =>
      post({
        type: 'run-started',
        run: run.id,
        process: run.process ?? { pid: 1000, bootId: 'none', startTicks: '1' },
      }),
    signalTree: () => undefined,
    checkTree: () => undefined,
    forget: () => undefined,
    close: () => Promise.resolve(),
  };
}
