/**
 * Reads what Migration Hub recorded of one task, one page for each request. For the next page the client asks again with
 * the token of the last one. So each page waits for the operation's budget like every call, and the agent keeps nothing.
 */
import { defined } from '../lib/defined.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';
import type { Reply } from '../model/action.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Event, RequestId } from '../model/event.ts';
import type { Fact } from '../model/fact.ts';
import type { SettingsHolder } from '../model/settings.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Pacing } from '../scheduling/pacing.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import type { Reporters } from '../scheduling/reporters.ts';
import type { RunIndex } from '../state/run-index.ts';
import type { HubConnection } from './connection.ts';

const OPERATION = 'ListMigrationTaskUpdates';

/** If the operation is paused for longer, the request is refused at once: a person can repeat it. */
const PAUSE_MS_MAX = 10 * SECOND_MS;

interface Parts {
  readonly settings: SettingsHolder;
  readonly hub: HubConnection;
  readonly pacing: Pacing;
  readonly reporters: Reporters;
  readonly index: RunIndex;
}

export class HistoryReader {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers at once if no call is needed or none can be made; else the fact `history-read` has the answer later. */
  request(request: Extract<Event, { type: 'history-requested' }>, now: Now): Reply | undefined {
    const { pacing, reporters } = this.#parts;
    const address = this.#addressOf(request.job, request.run);
    if ('ok' in address) return address;
    const { pausedUntilMs, because } = pacing.of(OPERATION);
    const pauseMs = pausedUntilMs - now.bootMs;
    if (pauseMs > PAUSE_MS_MAX) {
      const pauseS = Math.ceil(pauseMs / SECOND_MS);
      const message = `no call of ${OPERATION} for ${pauseS} s: ${because ?? 'it is paused'}`;
      return { ok: false, code: 'unavailable', message };
    }
    const page = { ...address, ...defined({ token: request.token }) };
    reporters.add(new HistoryReporter(reporters, request.request, page, now));
    return undefined;
  }

  #addressOf(job: string, number: number | undefined): Address | Reply {
    const refuse = (code: 'no-such-job' | 'conflict' | 'unavailable', message: string): Reply => {
      return { ok: false, code, message };
    };
    const { hub, index, settings } = this.#parts;
    const runs = index.of(job);
    if (runs.length === 0 && !settings.current.jobs.has(job)) {
      return refuse('no-such-job', `there is no job "${job}"`);
    }
    const run = number === undefined ? runs.at(-1) : runs.find((one) => one.number === number);
    if (run === undefined) {
      const message =
        number === undefined ? `${job} has never run` : `run ${number} of ${job} is not kept`;
      return refuse('conflict', message);
    }
    const { migrationHub } = settings.current;
    if (run.hub === undefined || migrationHub === undefined) {
      return refuse('conflict', `${run.id} is not reported to Migration Hub`);
    }
    const { region } = hub;
    if (region === undefined) {
      return refuse('unavailable', 'the home region is not known yet (migration-agent status)');
    }
    return { region, stream: migrationHub.stream, task: run.hub.task };
  }
}

interface Address {
  readonly region: string;
  readonly stream: string;
  readonly task: string;
}

interface Page extends Address {
  /** From the page before; absent: the first page. */
  readonly token?: string;
}

class HistoryReporter implements Reporter {
  readonly key: string;
  readonly #reporters: Reporters;
  readonly #request: RequestId;
  readonly #page: Page;
  readonly #requestedAtMs: number;

  constructor(reporters: Reporters, request: RequestId, page: Page, now: Now) {
    this.key = `history:${request}`;
    this.#reporters = reporters;
    this.#request = request;
    this.#page = page;
    this.#requestedAtMs = now.bootMs;
  }

  next(): PendingCall {
    const atMs = this.#requestedAtMs;
    return { operation: OPERATION, readyAtMs: atMs, sinceMs: atMs };
  }

  call(): Call {
    return { operation: OPERATION, ...this.#page };
  }

  /** A failure is answered and not repeated: the person who asked may ask again. */
  settled(_call: Call, outcome: Outcome): Fact {
    this.#reporters.remove(this.key);
    return { type: 'history-read', request: this.#request, reply: this.#reply(outcome) };
  }

  #reply(outcome: Outcome): Reply {
    const { region, stream, task, token } = this.#page;
    if (outcome.kind === 'accepted') {
      const { updates = [], nextToken } = outcome.answer;
      const page = { region, stream, task, updates, ...defined({ nextToken }) };
      return { ok: true, message: `${updates.length} updates`, page };
    }
    const { kind, reason } = outcome;
    if (kind === 'refused' && token !== undefined) {
      // A token lives for 24 hours (MODEL ListMigrationTaskUpdates); one that has expired is refused.
      const message = `the token has expired, start again from the first page: ${reason}`;
      return { ok: false, code: 'expired', message };
    }
    if (kind === 'missing') {
      const message = `Migration Hub knows no task "${task}" of stream "${stream}" in ${region} (yet)`;
      return { ok: false, code: 'conflict', message };
    }
    return { ok: false, code: 'unavailable', message: `${OPERATION}: ${reason}` };
  }
}
