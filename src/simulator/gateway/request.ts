/** One call on its way: met by a fault or not, counted against its limit, done, answered, written down. */
import { noteAccepted } from '../audit/accepted-calls.ts';
import { requestId } from '../lib/dice.ts';
import { ServiceError } from '../lib/errors.ts';
import { denied, faultError, throttling } from '../faults/answers.ts';
import type { Fault } from '../faults/rule.ts';
import type { Deliver, GatewayCall, GatewayParts, Target } from './gateway.ts';
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
      ...(call.region === undefined ? {} : { region: call.region }),
      ...(call.by === undefined ? {} : { by: call.by }),
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

  /** The client hung up: a held poll is given up; a delayed call is done all the same, as a server would. */
  abandon(): void {
    if (this.#isOver || this.#fault?.fault === 'delay') return;
    this.#stopWaiting?.();
    this.#settle('client hung up', undefined, false);
  }

  #isStoppedByFault(service: Service['name'], fault: Fault | undefined): boolean {
    switch (fault?.fault) {
      case undefined:
      case 'delay':
      case 'lose-answer':
      case 'truncate':
      case 'stall':
      case 'garbage':
      case 'date':
        return false;
      case 'error':
        this.#refuse(faultError(service, this.#parts.behaviour, fault));
        return true;
      case 'throttle':
        this.#refuse(
          throttling(service, this.#parts.behaviour, fault.retryAfterSeconds ?? 0, fault),
          true,
        );
        return true;
      case 'deny':
        this.#refuse(denied(service, isDryRun(this.#request?.value), fault));
        return true;
      case 'status': {
        const { status = 503, body = '', retryAfterSeconds: seconds } = fault;
        const headers = {
          'Content-Type': 'text/html',
          ...(seconds === undefined ? {} : { 'Retry-After': String(seconds) }),
        };
        this.#send(answer(status, body, this.#envelope(), headers), `HTTP ${status}`);
        return true;
      }
      case 'reset':
        this.#send({ kind: 'reset' }, 'connection reset');
        return true;
      case 'drop':
        this.#send({ kind: 'close' }, 'connection closed');
        return true;
      case 'blackhole':
        this.#send({ kind: 'silence' }, 'no answer');
        return true;
    }
  }

  #perform(run: Operation, request: unknown): void {
    const { region, isGone = () => false } = this.#call;
    try {
      const output = run(request, {
        now: this.#parts.clock.now(),
        ...(region === undefined ? {} : { region }),
        // A held poll cannot be answered over a network that is down.
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
    switch (this.#fault?.fault) {
      case 'lose-answer':
        this.#send({ kind: 'close' }, 'answer lost', true);
        return;
      case 'truncate':
        this.#send({ ...whole, kind: 'cut' }, 'answer cut', true);
        return;
      case 'stall':
        this.#send({ ...whole, kind: 'stall' }, 'answer stalled', true);
        return;
      case 'garbage': {
        const { body = '<html>\u0000 not what was asked for' } = this.#fault;
        this.#send(answer(200, body, this.#envelope()), 'garbage', true);
        return;
      }
      case undefined:
      case 'error':
      case 'throttle':
      case 'deny':
      case 'delay':
      case 'date':
      case 'drop':
      case 'reset':
      case 'blackhole':
      case 'status':
        if (this.#isCut()) this.#send({ kind: 'close' }, 'connection closed', true);
        else this.#send(whole, 'ok', true);
    }
  }

  #refuse(error: ServiceError, isThrottled = false): void {
    const delivery = errorAnswer(this.#service, error, this.#envelope());
    const delivered = this.#deliver(delivery);
    this.#entry.status = error.status;
    this.#entry.message = error.message;
    this.#settle(error.name, error, delivered, isThrottled);
  }

  /** `isDone`: the operation was carried out, whatever became of the answer. */
  #send(delivery: Delivery, outcome: string, isDone = false): void {
    if (this.#isOver) return;
    const isWhole = this.#deliver(delivery) && outcome === 'ok';
    if ('status' in delivery) this.#entry.status = delivery.status;
    if (isDone) {
      const { audit, clock } = this.#parts;
      noteAccepted(audit, this.#operation, this.#entry, clock.now(), isWhole);
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
      ...(error === undefined ? {} : { error: { name: error.name, message: error.message } }),
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

/** Faults after which the call has succeeded as far as the audit is concerned. */
const HARMLESS: ReadonlySet<string> = new Set(['delay', 'date']);

function isDryRun(request: unknown): boolean {
  return (
    typeof request === 'object' &&
    request !== null &&
    'DryRun' in request &&
    request.DryRun === true
  );
}
