/** One call: checked against faults and its limit, carried out, answered, recorded in the journal and the audit. */
import { recordAccepted } from '../audit/accepted-calls.ts';
import { requestId } from '../lib/dice.ts';
import { ServiceError } from '../lib/errors.ts';
import { denied, faultError, throttling } from '../faults/answers.ts';
import type { Fault, FaultKind } from '../faults/rule.ts';
import { defined } from '../lib/defined.ts';
import type { Deliver, GatewayCall, GatewayParts, Target } from './call.ts';
import type { JournalEntry } from '../audit/journal.ts';
import { answer, errorAnswer, outputAnswer, parseJson } from './json-protocol.ts';
import type { Delivery, Envelope } from './json-protocol.ts';
import { Later } from '../lib/operation.ts';
import type { Operation, Output, Service } from '../lib/operation.ts';

export class GatewayRequest {
  readonly #parts: GatewayParts;
  readonly #call: GatewayCall;
  readonly #deliver: Deliver;
  readonly #service: Service['name'] | undefined;
  readonly #operation: string;
  readonly #run: Operation | undefined;
  readonly #entry: JournalEntry;
  readonly #request: { readonly value: unknown } | undefined;
  #fault: Fault | undefined;
  #stopWaiting: (() => void) | undefined;
  #isOver = false;

  constructor(parts: GatewayParts, call: GatewayCall, found: Target | undefined, deliver: Deliver) {
    this.#parts = parts;
    this.#call = call;
    this.#deliver = deliver;
    this.#service = found?.service.name;
    this.#operation = found?.name ?? call.target ?? '(no target)';
    this.#run = found?.run;
    this.#request = parseJson(call.body);
    this.#entry = parts.journal.add({
      at: parts.clock.now(),
      requestId: requestId(parts.dice),
      service: this.#service ?? '',
      operation: this.#operation,
      ...defined({ region: call.region, by: call.by }),
      request: this.#request?.value ?? call.body,
      outcome: 'pending',
    });
  }

  begin(): void {
    const { at } = this.#entry;
    const { limits, audit, faults, clock, enforceLimits } = this.#parts;
    const waitMs =
      this.#service === undefined ? 0 : limits.take(this.#service, this.#operation, at);
    audit.arrived(this.#operation, waitMs > 0);
    if (this.#run === undefined || this.#service === undefined) {
      this.#refuse(
        new ServiceError('UnknownOperationException', `Unknown operation ${this.#operation}.`),
      );
      return;
    }
    if (this.#request === undefined) {
      this.#refuse(new ServiceError('SerializationException', 'The request is not valid JSON.'));
      return;
    }
    this.#fault = faults.match({
      service: this.#service,
      operation: this.#operation,
      body: this.#call.body,
      now: at,
    });
    if (this.#fault !== undefined) this.#entry.fault = this.#fault.fault;
    if (this.#isStoppedByFault(this.#service, this.#fault)) return;
    if (waitMs > 0 && enforceLimits) {
      this.#refuse(
        throttling(this.#service, this.#parts.behaviour, Math.max(1, Math.ceil(waitMs / 1_000))),
        true,
      );
      return;
    }
    const delayMs = this.#fault?.fault === 'delay' ? (this.#fault.delay ?? 0) : 0;
    if (delayMs === 0) this.#perform(this.#run, this.#request.value);
    else {
      const { run, request } = { run: this.#run, request: this.#request };
      this.#stopWaiting = clock.after(delayMs, () => {
        this.#perform(run, request.value);
      });
    }
  }

  /** The client hung up. A held poll ends; a delayed call is carried out all the same, as a server would. */
  abandon(): void {
    if (this.#isOver || this.#fault?.fault === 'delay') return;
    this.#stopWaiting?.();
    this.#settle('client hung up', undefined, false);
  }

  /** Whether the fault keeps the call from being carried out. If so, the call has its answer, or never gets one. */
  #isStoppedByFault(service: Service['name'], fault: Fault | undefined): boolean {
    if (fault === undefined) return false;
    const ending = CONNECTION_ENDS[fault.fault];
    if (ending !== undefined) {
      this.#send(ending.delivery, ending.outcome);
      return true;
    }
    if (fault.fault === 'status') {
      const { status = 503, body = '', retryAfterSeconds: seconds } = fault;
      const headers = {
        'Content-Type': 'text/html',
        ...defined({ 'Retry-After': seconds?.toString() }),
      };
      this.#send(answer(status, body, this.#envelope(), headers), `HTTP ${status}`);
      return true;
    }
    const refusal = this.#refusalOf(service, fault);
    if (refusal === undefined) return false;
    this.#refuse(refusal, fault.fault === 'throttle');
    return true;
  }

  #refusalOf(service: Service['name'], fault: Fault): ServiceError | undefined {
    const { behaviour } = this.#parts;
    if (fault.fault === 'error') return faultError(service, behaviour, fault);
    if (fault.fault === 'deny') return denied(service, isDryRun(this.#request?.value), fault);
    if (fault.fault !== 'throttle') return undefined;
    return throttling(service, behaviour, fault.retryAfterSeconds ?? 0, fault);
  }

  #perform(run: Operation, request: unknown): void {
    const { region, isGone = () => false } = this.#call;
    try {
      const output = run(request, {
        now: this.#parts.clock.now(),
        ...defined({ region }),
        // A held poll cannot be answered while a fault cuts the connection.
        isGone: () => isGone() || this.#isCut(),
      });
      if (output instanceof Later) {
        this.#stopWaiting = output.start((later) => {
          this.#succeed(later);
        });
      } else {
        this.#succeed(output);
      }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.#refuse(error);
    }
  }

  #succeed(output: Output): void {
    const whole = outputAnswer(output, this.#envelope());
    const fault = this.#fault?.fault;
    if (fault === 'lose-answer') this.#send({ kind: 'close' }, 'answer lost', true);
    else if (fault === 'truncate') this.#send({ ...whole, kind: 'cut' }, 'answer cut', true);
    else if (fault === 'stall') this.#send({ ...whole, kind: 'stall' }, 'answer stalled', true);
    else if (fault === 'garbage') {
      const { body = '<html>\u0000 not what was asked for' } = this.#fault ?? {};
      this.#send(answer(200, body, this.#envelope()), 'garbage', true);
    } else if (this.#isCut()) this.#send({ kind: 'close' }, 'connection closed', true);
    else this.#send(whole, 'ok', true);
  }

  #refuse(error: ServiceError, isThrottled = false): void {
    const delivery = errorAnswer(this.#service, error, this.#envelope());
    const delivered = this.#deliver(delivery);
    this.#entry.status = error.status;
    this.#entry.message = error.message;
    this.#settle(error.name, error, delivered, isThrottled);
  }

  /** `isDone`: the operation was carried out, even if its answer is lost. */
  #send(delivery: Delivery, outcome: string, isDone = false): void {
    if (this.#isOver) return;
    const isWhole = this.#deliver(delivery) && outcome === 'ok';
    if ('status' in delivery) this.#entry.status = delivery.status;
    if (isDone) {
      const { audit, clock } = this.#parts;
      recordAccepted(audit, this.#operation, this.#entry, clock.now(), isWhole);
      this.#parts.onChange();
    }
    this.#settle(outcome, undefined, isWhole);
  }

  #settle(
    outcome: string,
    error: ServiceError | undefined,
    delivered: boolean,
    isThrottled = false,
  ): void {
    this.#isOver = true;
    this.#entry.outcome = outcome;
    this.#entry.answeredAt = this.#parts.clock.now();
    this.#entry.delivered = delivered;
    this.#parts.audit.settled({
      at: this.#entry.at,
      operation: this.#operation,
      isFaulted: this.#fault !== undefined && !HARMLESS.has(this.#fault.fault),
      isThrottled,
      ...defined({ error: error && { name: error.name, message: error.message } }),
    });
  }

  #isCut(): boolean {
    return this.#parts.faults.isCut({
      service: this.#service ?? '',
      operation: this.#operation,
      body: this.#call.body,
      now: this.#parts.clock.now(),
    });
  }

  #envelope(): Envelope {
    const { clock, dateSkewMs } = this.#parts;
    const skewMs = this.#fault?.skew ?? dateSkewMs;
    return { requestId: this.#entry.requestId, dateMs: clock.now() + skewMs };
  }
}

/** Faults that end the connection before the operation is carried out. */
const CONNECTION_ENDS: Readonly<
  Partial<Record<FaultKind, { readonly delivery: Delivery; readonly outcome: string }>>
> = {
  reset: { delivery: { kind: 'reset' }, outcome: 'connection reset' },
  drop: { delivery: { kind: 'close' }, outcome: 'connection closed' },
  blackhole: { delivery: { kind: 'silence' }, outcome: 'no answer' },
};

/** Faults after which the audit counts the call as successful. */
const HARMLESS: ReadonlySet<string> = new Set(['delay', 'date']);

function isDryRun(request: unknown): boolean {
  return (
    typeof request === 'object' &&
    request !== null &&
    'DryRun' in request &&
    request.DryRun === true
  );
}
