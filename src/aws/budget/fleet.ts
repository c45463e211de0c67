/**
 * This host's place in a fleet that shares one budget through Redis. It is in one of three states:
 *
 *   joined    calls are taken from the pool in Redis, and only from there
 *   alone     Redis is unreachable: the host spends its share of each budget, which the pool no longer earns
 *   waiting   between the two: the pool may still count this host as present, so it makes no call (some 6 s at most)
 *
 * The order keeps the limit at every moment (P6): before a host spends on its own, its membership in the pool has certainly
 * expired, and before it joins it has stopped spending. What Redis does at a sync is described in fleet-script.ts.
 */
import { defined } from '../../core/lib/defined.ts';
import { bucketOf, JITTER_MS } from '../../core/scheduling/token-bucket.ts';
import type { Operation } from '../../core/model/call.ts';
import { maskSecrets } from '../../core/lib/secrets.ts';
import type { Rate } from '../../core/model/settings.ts';
import type { FleetStatus } from '../../core/model/status.ts';
import type { Log, Random } from '../../ports.ts';
import { FleetConnection } from './fleet-connection.ts';
import type { Sync } from './fleet-connection.ts';
import { fleetProblems } from './fleet-problems.ts';
import { codeOf, remedyOf } from '../remedies.ts';
import { TIMES } from './fleet-times.ts';
import type { FleetTimes } from './fleet-times.ts';

export interface FleetOptions {
  readonly url: string;
  /** Hosts with the same account share the budgets. */
  readonly account: string;
  /** This host's name in the fleet: unique, and the same after a restart. */
  readonly host: string;
  readonly share: number;
  /** The whole budgets. */
  readonly rates: Readonly<Record<Operation, Rate>>;
  /** What a budget belongs to beside the account, such as the region. */
  readonly scopeOf: (operation: Operation) => string;
  readonly monotonicMs: () => number;
  readonly random: Random;
  readonly log: Log;
  readonly times?: Partial<FleetTimes>;
}

/**
 * A call is counted when it is taken and made when the answer arrives. The pool's bucket leaves room for this delay; calls
 * whose answer took longer are returned.
 */
const TAKE_MS_MAX = 500;
/** After this many slow answers in a row Redis counts as too slow. */
const SLOW_IN_A_ROW = 3;
/** The longest wait before asking again: the pool's estimate does not know who joins or leaves meanwhile. */
const LOOK_AGAIN_MS_MAX = 1_000;

export interface Taken {
  readonly slots: number;
  /** If there are none: when to ask again. `onChange` reports an earlier change of state. */
  readonly waitMs: number;
}

const NOTHING: Taken = { slots: 0, waitMs: LOOK_AGAIN_MS_MAX };

export class Fleet {
  /** Called after each change of `state`. */
  onChange: () => void = () => undefined;
  readonly #options: FleetOptions;
  readonly #times: FleetTimes;
  #share: number;
  #rates: Readonly<Record<Operation, Rate>>;
  #state: FleetStatus['state'] = 'waiting';
  #connection: FleetConnection | undefined;
  #aloneTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  #joinedAtMs = 0;
  #slowAnswers = 0;
  #reason: string | undefined;
  #known: { readonly hosts: number; readonly shares: number } | undefined;
  #closed = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#share = options.share;
    this.#rates = options.rates;
    // An earlier agent of this host may have stopped a moment ago, so its membership may not have expired.
    this.#goAloneAfter(this.#options.monotonicMs());
    this.#join();
  }

  get state(): FleetStatus['state'] {
    return this.#state;
  }

  setRates(share: number, rates: Readonly<Record<Operation, Rate>>): void {
    this.#share = share;
    this.#rates = rates;
  }

  /** Takes up to `wanted` calls from the pool. This host is guaranteed `guaranteed` of them, before all others. */
  async take(operation: Operation, wanted: number, guaranteed: number): Promise<Taken> {
    const connection = this.#connection;
    if (connection === undefined) return NOTHING;
    const rate = this.#rates[operation];
    const id = this.#idOf(operation);
    const bucket = bucketOf(rate, JITTER_MS + TAKE_MS_MAX);
    const demand = { id, bucket, burst: rate.burst, wanted, guaranteed };
    try {
      const sync = await connection.sync(this.#share, demand);
      this.#learn(sync);
      if (sync.give < 1) {
        return { slots: 0, waitMs: Math.max(1, Math.min(sync.waitMs, LOOK_AGAIN_MS_MAX)) };
      }
      return { slots: await this.#takeOut(connection, id, sync.give), waitMs: 0 };
    } catch (error) {
      this.#lose(connection, error);
      return NOTHING;
    }
  }

  /** Returns calls that were taken and not made. If Redis is unreachable they are lost. */
  giveBack(operation: Operation, slots: number): void {
    const connection = this.#connection;
    connection
      ?.count(this.#idOf(operation), slots)
      .catch((error: unknown) => this.#lose(connection, error));
  }

  status(): FleetStatus {
    const state = this.#state;
    return defined({
      state,
      share: this.#share,
      ...(state === 'joined' ? this.#known : {}),
      reason: state === 'joined' || this.#reason === undefined ? undefined : this.#reason,
    });
  }

  /** What is wrong, one sentence each. */
  problems(): string[] {
    return fleetProblems(this.status());
  }

  /** Leaves the fleet: from now on the others may use this host's share. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of [this.#aloneTimer, this.#retryTimer, this.#renewTimer]) clearTimeout(timer);
    const connection = this.#connection;
    this.#connection = undefined;
    // If Redis does not answer, the membership expires by itself.
    await connection?.leave().catch(() => undefined);
    connection?.close();
  }

  /** Redis counts atomically: if another host was faster, the level goes below zero, and this host returns the excess. */
  async #takeOut(connection: FleetConnection, id: string, give: number): Promise<number> {
    const sentMs = this.#options.monotonicMs();
    const left = await connection.count(id, -give);
    const isLate = this.#options.monotonicMs() - sentMs > TAKE_MS_MAX;
    const debt = isLate ? give : Math.min(give, Math.max(0, -left));
    if (debt > 0) await connection.count(id, debt);
    this.#slowAnswers = isLate ? this.#slowAnswers + 1 : 0;
    if (this.#slowAnswers >= SLOW_IN_A_ROW) {
      throw new Error(`Redis is slow: more than ${TAKE_MS_MAX} ms an answer`);
    }
    return give - debt;
  }

  #join(): void {
    this.#tryToJoin().catch((error: unknown) => {
      this.#failed(error);
      this.#retry();
    });
  }

  async #tryToJoin(): Promise<void> {
    const { account, host, monotonicMs, url } = this.#options;
    const connection = await FleetConnection.open({
      url,
      prefix: `migration-agent:${account}`,
      host,
      times: this.#times,
      answerMs: this.#times.answerMs,
      monotonicMs,
    });
    if (this.#closed) {
      connection.close();
      return;
    }
    // From the moment this sync is sent, the pool may count this host as present.
    this.#setState('waiting');
    this.#goAloneAfter(monotonicMs());
    try {
      this.#learn(await connection.sync(this.#share));
    } catch (error) {
      this.#goAloneAfter(connection.syncedMs);
      connection.close();
      throw error;
    }
    this.#joined(connection);
  }

  #joined(connection: FleetConnection): void {
    if (this.#closed) {
      connection.close();
      return;
    }
    clearTimeout(this.#aloneTimer);
    this.#connection = connection;
    this.#joinedAtMs = this.#options.monotonicMs();
    this.#slowAnswers = 0;
    this.#reason = undefined;
    this.#renewLater(connection);
    this.#setState('joined');
    const { hosts, shares } = this.#known ?? {};
    this.#options.log.write(
      'info',
      'fleet.joined',
      'joined the fleet: budgets are shared through Redis',
      {
        hosts,
        shares,
        share: this.#share,
      },
    );
  }

  #renewLater(connection: FleetConnection): void {
    this.#renewTimer = setTimeout(() => {
      if (this.#connection !== connection) return;
      const idleMs = this.#options.monotonicMs() - connection.syncedMs;
      const renewed =
        idleMs < this.#times.renewMs
          ? Promise.resolve()
          : connection.sync(this.#share).then((sync) => this.#learn(sync));
      renewed.then(
        () => this.#renewLater(connection),
        (error: unknown) => this.#lose(connection, error),
      );
    }, this.#times.renewMs);
    this.#renewTimer.unref();
  }

  /** Redis failed: the host goes alone as soon as the pool certainly no longer counts it as present. */
  #lose(connection: FleetConnection, error: unknown): void {
    if (this.#connection !== connection || this.#closed) return;
    this.#connection = undefined;
    clearTimeout(this.#renewTimer);
    connection.close();
    // A Redis that keeps failing is retried with a growing delay.
    const lastedMs = this.#options.monotonicMs() - this.#joinedAtMs;
    if (lastedMs >= this.#times.gatherMs) this.#failures = 0;
    this.#setState('waiting');
    this.#goAloneAfter(connection.syncedMs);
    this.#failed(error);
    this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    const { retryMs, retryMsMax } = this.#times;
    const stepMs = Math.min(retryMs * 2 ** Math.min(this.#failures, 10), retryMsMax);
    this.#failures++;
    this.#retryTimer = setTimeout(() => this.#join(), stepMs * (0.5 + this.#options.random() / 2));
    this.#retryTimer.unref();
  }

  /** A sync sent at `sentMs` may take effect until the time for its answer is over, and renews the membership then. */
  #goAloneAfter(sentMs: number): void {
    const atMs = sentMs + this.#times.answerMs + this.#times.membershipTtlMs;
    clearTimeout(this.#aloneTimer);
    if (this.#state === 'alone') return;
    const waitMs = Math.max(0, atMs - this.#options.monotonicMs());
    this.#aloneTimer = setTimeout(() => this.#setState('alone'), Math.ceil(waitMs) + 1);
    this.#aloneTimer.unref();
  }

  #failed(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const remedy = remedyOf(codeOf(error));
    const reason = maskSecrets(remedy === undefined ? text : `${text} (${remedy})`);
    if (this.#closed || reason === this.#reason) return;
    this.#reason = reason;
    this.#options.log.write(
      'warn',
      'fleet.away',
      "the fleet's Redis is unreachable; this host limits itself to its share",
      { reason, share: this.#share },
    );
  }

  #learn({ hosts, shares }: Sync): void {
    this.#known = { hosts, shares };
  }

  #setState(state: FleetStatus['state']): void {
    if (this.#state === state || this.#closed) return;
    this.#state = state;
    this.onChange();
  }

  #idOf(operation: Operation): string {
    return `${this.#options.scopeOf(operation)}:${operation}`;
  }
}
