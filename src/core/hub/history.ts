/**
 * Reads what Migration Hub recorded of one task, a page for a question: whoever wants all pages asks again with the
 * token of the last one. So each page waits for the operation's budget like every call, a page is never read that
 * nobody waits for, and nothing of it is kept here.
 */
import type { Reply } from '../model/action.ts';
import type { PendingCall } from '../scheduling/call-queue.ts';
import type { Call, Outcome } from '../model/call.ts';
import type { Context } from '../scheduling/context.ts';
import type { Event } from '../model/event.ts';
import type { RunIndex } from '../state/run-index.ts';
import type { Reporter } from '../scheduling/reporter.ts';
import { SECOND_MS } from '../lib/time.ts';
import type { Now } from '../lib/time.ts';

export class HistoryReader {
  readonly #context: Context;
  readonly #book: RunIndex;

  constructor(context: Context, book: RunIndex) {
    this.#context = context;
    this.#book = book;
  }

  /** Answers at once where no call is needed or none can be made, else when the service has answered. */
  ask(
    question: Extract<Event, { type: 'history-requested' }>,
    now: Now,
    answer: (reply: Reply) => void,
  ): void {
    const address = this.#addressOf(question.job, question.run);
    if ('ok' in address) {
      answer(address);
      return;
    }
    const { pausedUntilMs, because } = this.#context.pacing.of('ListMigrationTaskUpdates');
    const pauseMs = pausedUntilMs - now.bootMs;
    if (pauseMs > PAUSE_MS_MAX) {
      const message = `no call of ListMigrationTaskUpdates for ${Math.ceil(pauseMs / SECOND_MS)} s: ${because ?? 'it is paused'}`;
      answer({ ok: false, code: 'unavailable', message: message });
      return;
    }
    const page = question.token === undefined ? address : { ...address, token: question.token };
    const speaker = new HistoryReporter(question.request, page, now, (reply) => {
      this.#context.removeReporter(speaker.key);
      answer(reply);
    });
    this.#context.addReporter(speaker);
  }

  #addressOf(job: string, number: number | undefined): Address | Reply {
    const refuse = (code: 'no-such-job' | 'conflict' | 'unavailable', message: string): Reply => {
      return { ok: false, code, message: message };
    };
    const { settings } = this.#context;
    const runs = this.#book.of(job);
    if (runs.length === 0 && !settings.jobs.has(job)) {
      return refuse('no-such-job', `there is no job "${job}"`);
    }
    const run = number === undefined ? runs.at(-1) : runs.find((one) => one.number === number);
    if (run === undefined) {
      return refuse(
        'conflict',
        number === undefined ? `${job} has never run` : `${job} has no run ${number} any more`,
      );
    }
    if (run.hub === undefined || settings.migrationHub === undefined) {
      return refuse('conflict', `Migration Hub is not told of ${run.id}`);
    }
    const region = this.#context.hubRegion();
    if (region === undefined) {
      return refuse('unavailable', 'the home region is not known yet (migration-agent status)');
    }
    return { region, stream: settings.migrationHub.stream, task: run.hub.task };
  }
}

/** Nobody waits longer than this for a question that can be asked again. */
const PAUSE_MS_MAX = 10 * SECOND_MS;

interface Address {
  readonly region: string;
  readonly stream: string;
  readonly task: string;
}

/** What is to be read. */
interface PageQuestion extends Address {
  /** Of the page before; absent: the first page. */
  readonly token?: string;
}

class HistoryReporter implements Reporter {
  readonly key: string;
  readonly #question: PageQuestion;
  readonly #askedAtMs: number;
  readonly #answer: (reply: Reply) => void;

  /** `answer` is called once. `id` tells the questions apart. */
  constructor(id: number, question: PageQuestion, now: Now, answer: (reply: Reply) => void) {
    this.key = `history:${id}`;
    this.#question = question;
    this.#askedAtMs = now.bootMs;
    this.#answer = answer;
  }

  next(): PendingCall {
    return {
      operation: 'ListMigrationTaskUpdates',
      readyAtMs: this.#askedAtMs,
      sinceMs: this.#askedAtMs,
    };
  }

  call(): Call {
    return { operation: 'ListMigrationTaskUpdates', ...this.#question };
  }

  /** A failure is told, not repeated: a person waits, and may ask again. */
  settled(_call: Call, outcome: Outcome): void {
    const { region, stream, task, token } = this.#question;
    if (outcome.kind === 'accepted') {
      const { updates = [], nextToken } = outcome.answer;
      const page = {
        region,
        stream,
        task,
        updates,
        ...(nextToken === undefined ? {} : { nextToken }),
      };
      this.#answer({ ok: true, message: `${updates.length} updates`, page });
    } else if (outcome.kind === 'refused' && token !== undefined) {
      // A token lives for 24 hours (MODEL ListMigrationTaskUpdates); one that has ended is refused.
      const message = `the token is no longer good, start again from the first page: ${outcome.reason}`;
      this.#answer({ ok: false, code: 'expired', message: message });
    } else if (outcome.kind === 'missing') {
      const message = `Migration Hub knows no task "${task}" of stream "${stream}" in ${region} (yet)`;
      this.#answer({ ok: false, code: 'conflict', message: message });
    } else {
      const message = `ListMigrationTaskUpdates: ${outcome.reason}`;
      this.#answer({ ok: false, code: 'unavailable', message: message });
    }
  }
}
