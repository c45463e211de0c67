/**
 * The whole agent in virtual time and from one seed: the real loop, inbox, journal and SQLite store; around them the
 * same outside as in world.ts. Time moves only while the agent waits. An agent can be killed whenever it calls a port: before
 * a commit or after it, between two actions, when it reads the clock. What it has not committed is lost, and the next
 * agent opens the same file.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent } from '../../src/agent/agent.ts';
import { Inbox } from '../../src/agent/inbox.ts';
import type { Reply } from '../../src/core/model/action.ts';
import type { Call, Outcome } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { Settings } from '../../src/core/model/settings.ts';
import type { JobStatus } from '../../src/core/model/status.ts';
import { EMPTY_CALENDAR } from '../../src/core/runs/schedules.ts';
import type { Calendar } from '../../src/core/runs/schedules.ts';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import type {
  Clock,
  Gates,
  JobHost,
  Log,
  OperatorRequest,
  Services,
  Store,
  TrackedWork,
} from '../../src/ports.ts';
import { openStore } from '../../src/store/store.ts';
import type { SqliteStore } from '../../src/store/store.ts';
import { createRandom } from '../../src/system/random.ts';
import type { HostModel } from './host-model.ts';
import { Outside } from './outside.ts';
import type { OutsideOptions } from './outside.ts';
import { recordingNotifier, virtualClock } from './ports.ts';
import { ServiceModel } from './service-model.ts';
import { TrackedModel } from './tracked-model.ts';
import { VirtualTime } from './virtual-time.ts';

/** Thrown whenever a killed agent calls a port: nothing that it does has an effect any more. */
class Killed extends Error {}

/** If the loop makes more turns than this without a wait, it will never wait. */
const TURNS_MAX = 10_000;
/** Whoever asks for something that is not on disk asks again, but for a start, of which there would be two. */
const ASK_AGAIN_MS = 5_000;
const STARTS: readonly OperatorRequest['type'][] = ['start', 'submit'];

export interface AgentWorldOptions extends OutsideOptions {
  /** Several hosts of a fleet share the time and the services. */
  readonly time?: VirtualTime;
  readonly service?: ServiceModel;
  readonly name?: string;
  /** Absent: nothing is scheduled. */
  readonly calendar?: Calendar;
}

/** What a commit wrote. The agent goes on changing its runs: what is to be remembered of them must be copied. */
type Committed = Pick<Changes, 'runs' | 'droppedRuns'>;

interface Life {
  readonly inbox: Inbox;
  readonly store: SqliteStore;
  agent?: Agent;
  isWaiting: boolean;
  isOver: boolean;
  /** How long no agent runs after this one, as it was decided before its end. */
  downMs: number;
}

/** A request of the operator, repeated to the next agent until one has answered. */
interface Question {
  readonly request: OperatorRequest;
  readonly answered: (reply: Reply) => void;
}

export class AgentWorld {
  readonly name: string;
  readonly time: VirtualTime;
  readonly service: ServiceModel;
  /** The configuration in force; a reload replaces it, and every later agent starts with it. */
  settings: Settings;
  readonly outside: Outside;
  readonly host: HostModel;
  readonly tracked: TrackedModel;
  readonly random: () => number;
  isDiskFull = false;
  /** A commit failed, and the agent has not retried it yet. */
  isBehind = false;
  /** How long no agent runs after the current one has ended. */
  downMs = 0;
  turns = 0;
  lives = 0;
  /** Errors that the agent's loop threw. */
  readonly faults: unknown[] = [];
  /** What the agent does and learns, as it does. */
  onCommit: (changes: Committed) => void = () => undefined;
  onSend: (call: Call) => void = () => undefined;
  onAnswer: (call: Call, outcome: Outcome) => void = () => undefined;
  onLog: (event: string, fields: Readonly<Record<string, unknown>>) => void = () => undefined;
  /** If a test sets this: every call of a port, in order. */
  trace: string[] | undefined;
  onDeath: () => void = () => undefined;
  onBirth: () => void = () => undefined;
  onLook: (jobs: readonly JobStatus[]) => void = () => undefined;
  readonly #options: AgentWorldOptions;
  readonly #directory: string;
  readonly #questions = new Set<Question>();
  #life: Life | undefined;
  #killIn: number | undefined;
  /** The host goes down with the agent. */
  #isReboot = false;
  #boot = 1;
  /** When the current boot began. */
  #bootedMs = 0;
  #asleepUntilMs = -Infinity;
  #wallOffMs = 0;

  constructor(seed: number, directory: string, options: AgentWorldOptions) {
    const post = (event: Event): void => this.#life?.inbox.post(event);
    this.#options = options;
    this.#directory = directory;
    this.name = options.name ?? 'host';
    this.settings = options.settings;
    this.time = options.time ?? new VirtualTime();
    this.random = createRandom(seed);
    this.service = options.service ?? new ServiceModel(this.time, options.settings.rates);
    this.outside = new Outside(this, options, post, this.name);
    this.host = this.outside.host;
    this.tracked = new TrackedModel(this.time, post);
    this.outside.isAsleep = () => this.time.now().bootMs <= this.#asleepUntilMs;
  }

  /** Starts an agent on the state that the previous one left. */
  begin(): void {
    const former = this.#life;
    const store = openStore(this.#directory, `boot-${this.#boot}`, { write: () => undefined });
    // The old store is closed only now, because a killed agent closes nothing.
    former?.store.close();
    const clock = this.#clock(() => life);
    const inbox = new Inbox(clock);
    const life: Life = { inbox, store, isWaiting: false, isOver: false, downMs: 0 };
    this.#life = life;
    this.lives++;
    const over = (error?: unknown): void => {
      if (error !== undefined && !(error instanceof Killed)) this.faults.push(error);
      if (!life.isOver) this.#end(life);
      this.time.in(life.downMs, () => this.begin());
    };
    try {
      life.agent = new Agent({
        version: '0',
        pid: this.lives,
        settings: this.settings,
        clock,
        random: this.random,
        inbox,
        store: this.#store(life),
        gates: this.#gates(life),
        services: this.#services(life),
        jobs: this.#jobs(life),
        tracked: this.#tracked(life),
        notifier: recordingNotifier(),
        log: this.#log(life),
        reload: () => Promise.resolve({ ok: true, message: '' }),
        calendar: this.#options.calendar ?? EMPTY_CALENDAR,
      });
    } catch (error) {
      over(error);
      return;
    }
    this.onBirth();
    life.agent.run().then(() => over(), over);
    for (const question of this.#questions) this.#put(question);
  }

  /** Kills the agent at the `touches`th time from now that it touches the outside; the next begins `downMs` later. */
  kill(touches: number, downMs: number): void {
    this.#killIn = touches;
    this.downMs = downMs;
  }

  /** Steps the wall clock of this host alone. */
  stepWall(ms: number): void {
    this.#wallOffMs += ms;
  }

  /** The operator's new configuration is read and accepted. */
  reload(settings: Settings): void {
    this.settings = settings;
    if (this.#life?.isOver === false) this.#life.inbox.post({ type: 'settings-changed', settings });
  }

  /** An operator looks at everything there is to see. */
  look(): void {
    const life = this.#life;
    if (life?.agent === undefined || life.isOver) return;
    try {
      const { jobs } = life.agent.status();
      for (const { name } of jobs) life.agent.jobDetail(name);
      life.agent.outbox();
      this.onLook(jobs);
    } catch (error) {
      if (!(error instanceof Killed)) this.faults.push(error);
    }
  }

  /** While no agent runs. */
  damageRow(run: string): void {
    const database = new DatabaseSync(join(this.#directory, 'state.db'));
    database.prepare("UPDATE run SET body = '{' WHERE id = ?").run(run);
    database.close();
  }

  /** The host loses its power with all that runs on it, and is back `downMs` later. */
  reboot(downMs: number): void {
    this.#isReboot = true;
    this.kill(0, downMs);
  }

  /** A planned stop, as for a new version; the next agent begins `downMs` after the end of this one. */
  stop(downMs: number): void {
    this.downMs = downMs;
    if (this.#life?.isOver === false) this.#life.agent?.stop();
  }

  /** The host is suspended, or the agent is stopped, while time passes outside. */
  suspend(ms: number): void {
    const untilMs = this.time.now().bootMs + ms;
    // A second suspend may begin during the first.
    this.#asleepUntilMs = Math.max(this.#asleepUntilMs, untilMs);
    for (;;) {
      const nextMs = this.time.nextMs();
      if (nextMs === undefined || nextMs > untilMs) break;
      this.time.moveTo(nextMs);
    }
    this.time.moveTo(untilMs);
  }

  /** True while no agent acts: none runs, or the host is suspended. */
  isAway(): boolean {
    return (
      this.time.now().bootMs <= this.#asleepUntilMs || this.#life === undefined || this.#life.isOver
    );
  }

  ask(request: OperatorRequest, answered: (reply: Reply) => void): void {
    const question = { request, answered };
    this.#questions.add(question);
    this.#put(question);
  }

  /** Turns the loop until `bootMs`. */
  async runUntil(bootMs: number): Promise<void> {
    for (;;) {
      await this.settle();
      const nextMs = this.time.nextMs();
      if (nextMs === undefined || nextMs > bootMs) break;
      this.time.moveTo(nextMs);
    }
    this.time.moveTo(bootMs);
    await this.settle();
  }

  close(): void {
    if (this.#life !== undefined) this.#life.isOver = true;
    this.#life?.store.close();
  }

  /** Lets the agent turn until it waits for time to pass. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      await nextTurn();
      const life = this.#life;
      if (life === undefined || life.isOver || life.isWaiting) return;
    }
    throw new Error('the agent never waits');
  }

  #put(question: Question): void {
    const life = this.#life;
    if (life?.agent === undefined || life.isOver) return;
    const answered = (reply: Reply): void => {
      // The answer of an agent that is about to end: ask the next one.
      if (!reply.ok && reply.message === 'the agent is stopping') return;
      if (isNotOnDisk(reply) && !STARTS.includes(question.request.type)) {
        this.time.in(ASK_AGAIN_MS, () => this.#put(question));
        return;
      }
      if (this.#questions.delete(question)) question.answered(reply);
    };
    life.agent.ask(question.request).then(answered, (error: unknown) => this.faults.push(error));
  }

  #end(life: Life): void {
    life.isOver = true;
    life.downMs = this.downMs;
    this.outside.disconnect();
    this.tracked.agentDied();
    if (this.#isReboot) {
      this.host.powerOff();
      this.tracked.powerOff();
      this.#boot++;
      this.#bootedMs = this.time.now().bootMs;
    }
    this.#isReboot = false;
    this.onDeath();
  }

  /** Every call of a port goes through here. */
  #touch(life: Life): void {
    if (life.isOver) throw new Killed();
    if (this.#killIn === undefined || this.#killIn-- > 0) return;
    this.#killIn = undefined;
    this.#end(life);
    throw new Killed();
  }

  #traced(what: string, details: () => unknown): void {
    this.trace?.push(`${this.time.now().bootMs} ${what} ${JSON.stringify(details())}`);
  }

  #clock(current: () => Life): Clock {
    const clock = virtualClock(this.time);
    const bootedMs = this.#bootedMs;
    return {
      bootId: `boot-${this.#boot}`,
      now: () => {
        this.#touch(current());
        const { wallMs, bootMs } = clock.now();
        return { wallMs: wallMs + this.#wallOffMs, bootMs: bootMs - bootedMs };
      },
      wakeAt: (bootMs, wake) => {
        const life = current();
        this.#touch(life);
        life.isWaiting = true;
        this.turns++;
        // In whole milliseconds, as timers are: rounding in a sum of two clocks must not cause another wait.
        const takeBack = clock.wakeAt(Math.floor(bootedMs + bootMs) + 1, wake);
        return () => {
          life.isWaiting = false;
          takeBack();
        };
      },
    };
  }

  #store(life: Life): Store {
    const { store } = life;
    return {
      load: (now) => store.load(now),
      commit: (changes) => {
        this.#touch(life);
        this.isBehind = this.isDiskFull;
        if (this.isDiskFull) throw new Error('database or disk is full');
        store.commit(changes);
        this.#traced('commit', () => [
          ...changes.runs,
          ...changes.droppedRuns,
          ...changes.hubTasks,
        ]);
        this.onCommit(changes);
        this.#touch(life);
      },
      timeline: (job, limit) => store.timeline(job, limit),
      takeGateLevels: (now) => store.takeGateLevels(now),
      saveGateLevels: (levels, now) => store.saveGateLevels(levels, now),
      problems: () => store.problems(),
      close: () => undefined,
    };
  }

  #gates(life: Life): Gates {
    return {
      ask: (operation, slots) => {
        this.#touch(life);
        this.outside.gate(operation).ask(slots);
      },
      giveBack: (operation, slots) => this.outside.gate(operation).giveBack(slots),
      levels: () => new Map(),
      fleet: () => undefined,
      problems: () => [],
      close: () => Promise.resolve(),
    };
  }

  #services(life: Life): Services {
    return {
      send: (call) => {
        this.#touch(life);
        this.#traced('send', () => call);
        this.onSend(call);
        const sent = new Promise<Outcome>((resolve) => {
          this.outside.call(
            call,
            (outcome) => {
              if (life.isOver) return;
              this.onAnswer(call, outcome);
              resolve(outcome);
            },
            () => undefined,
          );
        });
        this.#touch(life);
        return sent;
      },
      close: () => undefined,
    };
  }

  #tracked(life: Life): TrackedWork {
    return {
      watch: (run) => {
        this.#touch(life);
        this.tracked.watch(run);
      },
      release: (run) => {
        this.#touch(life);
        this.tracked.release(run);
      },
      close: () => Promise.resolve(),
    };
  }

  #jobs(life: Life): JobHost {
    const { host } = this;
    const touched =
      <Rest extends unknown[]>(what: (...rest: Rest) => void) =>
      (...rest: Rest): void => {
        this.#touch(life);
        what(...rest);
        this.#touch(life);
      };
    return {
      start: touched((run) => host.start(run)),
      adopt: touched((run) => host.adopt(run)),
      signalTree: touched((run, signal) => host.signalTree(run, signal)),
      checkTree: touched((run) => host.checkTree(run)),
      forget: touched((run) => host.forget(run)),
      close: () => Promise.resolve(),
    };
  }

  #log(life: Life): Log {
    return {
      write: (_level, event, _msg, fields) => {
        this.#touch(life);
        this.#traced(event, () => fields);
        this.onLog(event, fields);
      },
    };
  }
}

function isNotOnDisk(reply: Reply): boolean {
  return !reply.ok && reply.message.startsWith('the state cannot be written');
}
