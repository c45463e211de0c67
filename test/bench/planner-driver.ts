/**
 * Turns a planner as the agent's loop does, in virtual time and with as little else as can be: gates that always
 * give, services that always accept, jobs that only stand there. One answer a turn, as the network brings them; the
 * gate's word comes in a turn of its own, as the real gate's does.
 */
import type { Action } from '../../src/core/model/action.ts';
import type { Call } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { Changes } from '../../src/core/state/persistent-state.ts';
import type { Now } from '../../src/core/lib/time.ts';

/** What the loop (src/agent/loop.ts) needs of a planner. */
export interface Turning {
  observe(event: Event, now: Now): void;
  takeChanges(now: Now): Changes;
  decide(now: Now): Action[];
  wakeAtMs(): number | undefined;
}

const START_WALL_MS = Date.UTC(2026, 0, 1);
/** How much virtual time a turn takes; far less than a promise divided by its reports. */
const TURN_MS = 0.02;
const IDENTITY = { pid: 1000, bootId: 'virtual', startTicks: '1' };

export class Driver {
  readonly planner: Turning;
  /** Reports (NotifyMigrationTaskState) that were accepted. */
  delivered = 0;
  #bootMs = 0;
  #inbox: Event[] = [];
  /** Oldest first; no more than are on their way, so that an answered call is nobody's garbage but the planner's. */
  readonly #inFlight: { readonly id: number; readonly call: Call; readonly sentAt: Now }[] = [];

  constructor(planner: (now: Now) => Turning) {
    this.planner = planner(this.#now());
  }

  post(event: Event): void {
    this.#inbox.push(event);
  }

  /** Goes on until so many reports more are delivered. */
  deliver(reports: number): void {
    const end = this.delivered + reports;
    while (this.delivered < end) this.#turn();
  }

  /** Goes on until nothing is pending at the current time. */
  settle(): void {
    while (this.#inbox.length > 0 || this.#inFlight.length > 0) this.#turn();
  }

  #turn(): void {
    const now = this.#now();
    const events = this.#inbox;
    this.#inbox = [];
    if (events.length === 0) this.#answerOldest(events, now);
    events.push({ type: 'time-passed' });
    for (const event of events) this.planner.observe(event, now);
    this.planner.takeChanges(now);
    for (const action of this.planner.decide(now)) this.#act(action, now);
    const wakeAtMs = this.planner.wakeAtMs();
    this.#bootMs += TURN_MS;
    if (this.#inbox.length > 0 || this.#inFlight.length > 0) return;
    this.#bootMs = Math.max(this.#bootMs, wakeAtMs ?? 0);
  }

  #answerOldest(events: Event[], now: Now): void {
    const oldest = this.#inFlight.shift();
    if (oldest === undefined) return;
    if (oldest.call.operation === 'NotifyMigrationTaskState') this.delivered++;
    const serverDateMs = Math.floor(now.wallMs / 1000) * 1000;
    const outcome = { kind: 'accepted', answer: {}, serverDateMs } as const;
    events.push({ type: 'call-settled', ...oldest, outcome });
  }

  #act(action: Action, sentAt: Now): void {
    switch (action.type) {
      case 'ask-gate':
        this.#inbox.push({
          type: 'gate-opened',
          operation: action.operation,
          slots: action.slots,
        });
        break;
      case 'call':
        // A poll is held for as long as there is no work: here for ever.
        if (action.call.operation === 'PollForTask') break;
        this.#inFlight.push({ id: action.id, call: action.call, sentAt });
        break;
      case 'start-run':
        this.#inbox.push({ type: 'run-started', run: action.run.id, process: IDENTITY });
        break;
      case 'adopt-run':
      case 'watch-run':
      case 'release-run':
      case 'settle-run':
      case 'forget-run':
      case 'return-slots':
      case 'signal-tree':
      case 'check-tree':
      case 'answer':
      case 'exit':
        break;
    }
  }

  #now(): Now {
    return { wallMs: START_WALL_MS + this.#bootMs, bootMs: this.#bootMs };
  }
}
