/** Ports in memory and in virtual time, for the whole agent without processes, disk or sockets. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Call, Operation, Outcome } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { Run } from '../../src/core/model/job.ts';
import { PersistentState } from '../../src/core/state/persistent-state.ts';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import { SECOND_MS } from '../../src/core/lib/time.ts';
import type {
  Clock,
  Gates,
  JobHost,
  Log,
  ServiceNotifier,
  Services,
  Store,
  TrackedWork,
} from '../../src/ports.ts';
import type { VirtualTime } from './virtual-time.ts';

export function virtualClock(time: VirtualTime): Clock {
  return {
    bootId: 'virtual',
    now: () => time.now(),
    wakeAt(bootMs, wake) {
      let isWanted = true;
      time.in(Math.max(0, bootMs - time.now().bootMs), () => {
        if (isWanted) wake();
      });
      return () => (isWanted = false);
    },
  };
}

/** Runs everything that waits for a promise, then moves to the next timer, until `bootMs`. */
export async function pass(time: VirtualTime, bootMs: number): Promise<void> {
  for (;;) {
    for (let i = 0; i < 4; i++) await turn();
    const nextMs = time.nextMs();
    if (nextMs === undefined || nextMs > bootMs) break;
    time.moveTo(nextMs);
  }
  time.moveTo(bootMs);
  for (let i = 0; i < 4; i++) await turn();
}

/** A disk that can be full. Commits are kept as text, as in a file. */
export class MemoryStore implements Store {
  isFull = false;
  readonly committed: string[] = [];
  readonly #runs = new Map<string, string>();

  load(): PersistentState {
    const state = new PersistentState();
    for (const body of this.#runs.values()) state.recoverRun(JSON.parse(body) as Run);
    return state;
  }

  commit(changes: Changes): void {
    if (this.isFull) throw new Error('database or disk is full');
    for (const run of changes.runs) {
      this.#runs.set(run.id, JSON.stringify(run));
      this.committed.push(`${run.id} ${run.state}`);
    }
  }

  timeline(): [] {
    return [];
  }

  takeGateLevels(): undefined {
    return undefined;
  }

  saveGateLevels(): void {}

  problems(): [] {
    return [];
  }

  close(): void {}
}

/** Gates without a limit. */
export function openGates(post: (event: Event) => void): Gates {
  return {
    ask: (operation: Operation, slots) => post({ type: 'gate-opened', operation, slots }),
    giveBack: () => undefined,
    levels: () => new Map(),
    fleet: () => undefined,
    problems: () => [],
    close: () => Promise.resolve(),
  };
}

/** Services that accept everything, and remember it. */
export class AcceptingServices implements Services {
  readonly calls: { readonly call: Call; readonly atMs: number }[] = [];
  answer: (call: Call) => Outcome | undefined = () => undefined;
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  send(call: Call): Promise<Outcome> {
    this.calls.push({ call, atMs: this.#time.now().bootMs });
    const answered = this.answer(call);
    if (answered !== undefined) return Promise.resolve(answered);
    const answer = call.operation === 'GetHomeRegion' ? { homeRegion: 'eu-central-1' } : {};
    return Promise.resolve({ kind: 'accepted', answer });
  }

  close(): void {}
}

/** Jobs that start at once and end when the test ends them. */
export class ObedientJobs implements JobHost {
  readonly started: string[] = [];
  readonly signalled: string[] = [];
  readonly #post: (event: Event) => void;

  constructor(post: (event: Event) => void) {
    this.#post = post;
  }

  start(run: Run): void {
    this.started.push(run.id);
    this.adopt(run);
  }

  adopt(run: Run): void {
    const process = { pid: 1000 + run.number, bootId: 'virtual', startTicks: '1' };
    this.#post({ type: 'run-started', run: run.id, process });
  }

  signalTree(run: Run, signal: string): void {
    this.signalled.push(`${run.id} ${signal}`);
    this.#post({ type: 'tree-signalled', run: run.id, signal, processes: 1 });
    this.checkTree(run);
  }

  checkTree(run: Run): void {
    this.#post({ type: 'tree-checked', run: run.id, survivors: [] });
  }

  forget(): void {
    // Keeps nothing.
  }

  end(id: string, exitCode: number): void {
    this.#post({ type: 'run-exited', run: id, exitCode });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Nothing to look at. */
export function blindTracking(): TrackedWork {
  return { watch: () => undefined, release: () => undefined, close: () => Promise.resolve() };
}

export function memoryLog(): Log & { readonly lines: { event: string; level: string }[] } {
  const lines: { event: string; level: string }[] = [];
  return { lines, write: (level, event) => lines.push({ level, event }) };
}

export function recordingNotifier(): ServiceNotifier & { readonly notified: string[] } {
  const notified: string[] = [];
  return {
    notified,
    ready: () => notified.push('ready'),
    reloading: () => notified.push('reloading'),
    stopping: () => notified.push('stopping'),
    status: () => undefined,
    alive: () => notified.push('alive'),
    watchdogMs: 60 * SECOND_MS,
  };
}
