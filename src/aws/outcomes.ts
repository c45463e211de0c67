/**
 * Turns whatever the SDK throws into an `Outcome`, by one table for both SDK generations: the name of the error decides
 * first, then the HTTP status; a call without an answer is `unavailable`. The planner decides what to do about it.
 */
import { defined } from '../core/lib/defined.ts';
import type { Outcome } from '../core/model/call.ts';
import { maskSecrets } from '../core/lib/secrets.ts';
import {
  KIND_OF_NAME,
  STALE_CREDENTIALS,
  THROTTLE_SENTENCE,
  THROTTLE_PATTERN,
  WRONG_CLOCK,
} from './error-names.ts';
import type { FailureKind } from './error-names.ts';
import { codeOf, remedyOf } from './remedies.ts';

/** What came back over the wire, recorded below the SDK's deserializer. */
export interface SeenResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The time in the request's signature (X-Amz-Date): ISO 8601 without separators, `20260921T141320Z`. */
  readonly signed: string | undefined;
}

export interface FailedCall {
  readonly error: unknown;
  /** Absent: no head of an answer came. */
  readonly response: SeenResponse | undefined;
  /** Set if our own time limit aborted the call: the SDK's error names vary then and mean nothing. */
  readonly limitMs?: number | undefined;
}

export function outcomeOfFailure(failed: FailedCall): Outcome {
  const error = readError(failed.error);
  const kind = kindOf(error, failed);
  const serverDateMs = isFromService(error) ? serverDate(failed.response) : undefined;
  const reason = reasonOf(error, failed);
  const retryAfterMs = kind === 'throttled' ? retryAfter(error, failed.response) : undefined;
  return defined({ kind, reason, retryAfterMs, serverDateMs });
}

/** The Date header in ms since 1970; undefined if it cannot be read. */
export function serverDate(response: SeenResponse | undefined): number | undefined {
  const ms = Date.parse(response?.headers['date'] ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** True if new credentials may help. */
export function hasStaleCredentials(error: unknown): boolean {
  return STALE_CREDENTIALS.has(readError(error).name);
}

/** True if a dry run succeeded: the service reports that by an error (MODEL DryRunOperation). */
export function hasPassedDryRun(error: unknown): boolean {
  return readError(error).name === 'DryRunOperation';
}

/** True if the connection failed: no answer came, or not all of it in time. */
export function isConnectionFailure(failed: FailedCall): boolean {
  if (failed.limitMs !== undefined) return true;
  return failed.response === undefined && kindOf(readError(failed.error), failed) === 'unavailable';
}

/** Statuses with which a gateway gives up waiting for an answer. */
const GATEWAY_GAVE_UP: readonly number[] = [408, 502, 504];

/**
 * True if the network cut a long poll that had been silent for a while. The service had no work until then, which is
 * all that a complete answer would have reported.
 */
export function isQuietPoll(failed: FailedCall, silentMs: number, quietPollMs: number): boolean {
  if (silentMs < quietPollMs || failed.limitMs !== undefined) return false;
  if (failed.response === undefined) return isConnectionFailure(failed);
  return (
    !isFromService(readError(failed.error)) && GATEWAY_GAVE_UP.includes(failed.response.status)
  );
}

interface ReadError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly retryAfterSeconds: number | undefined;
}

function readError(error: unknown): ReadError {
  if (typeof error !== 'object' || error === null) {
    return { ...NOTHING, message: String(error) };
  }
  const fields = error as Readonly<Record<string, unknown>>;
  const seconds = fields['RetryAfterSeconds'];
  return {
    name: textOf(fields['name']) ?? NOTHING.name,
    message: textOf(fields['message']) ?? textOf(fields['Message']) ?? '',
    code: codeOf(error) ?? textOf(fields['code']),
    retryAfterSeconds: typeof seconds === 'number' && seconds > 0 ? seconds : undefined,
  };
}

const NOTHING: ReadError = {
  name: 'Error',
  message: '',
  code: undefined,
  retryAfterSeconds: undefined,
};

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * An answer that is not a JSON object, or an error without a name, does not come from the service, whatever its status: a
 * proxy or a portal sent it. The SDK names such an error `Unknown`, `UnknownError` or by its status.
 */
function isFromService(error: ReadError): boolean {
  return !/^(SyntaxError|TypeError|Unknown|UnknownError|\d{3})$/u.test(error.name);
}

function kindOf(error: ReadError, { limitMs, response }: FailedCall): FailureKind {
  if (limitMs !== undefined) return 'unavailable';
  if (THROTTLE_PATTERN.test(error.name)) return 'throttled';
  const named = KIND_OF_NAME.get(error.name);
  if (named === 'refused' && THROTTLE_SENTENCE.test(error.message)) return 'throttled';
  // The SDK corrects its clock from this answer, so the next call is signed with the right time.
  if (WRONG_CLOCK.has(error.name) && isSignedByWrongClock(response)) return 'unavailable';
  if (named !== undefined) return named;
  return response === undefined ? 'unavailable' : kindOfStatus(response.status, error);
}

/** AWS rejects a signature that is more than 5 minutes off; the SDK corrects its clock from there on. */
const SIGNATURE_MS_MAX = 300_000;

function isSignedByWrongClock(response: SeenResponse | undefined): boolean {
  const dateMs = serverDate(response);
  const signedMs = signedAt(response?.signed);
  if (dateMs === undefined || signedMs === undefined) return false;
  return Math.abs(dateMs - signedMs) >= SIGNATURE_MS_MAX;
}

function signedAt(stamp = ''): number | undefined {
  const marked = stamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/u, '$1-$2-$3:$4:$5');
  const ms = Date.parse(marked);
  return Number.isNaN(ms) ? undefined : ms;
}

function kindOfStatus(status: number, error: ReadError): FailureKind {
  if (status === 429) return 'throttled';
  if (status === 413) return 'refused';
  if (status < 400 || status >= 500 || status === 408) return 'unavailable';
  // A 400, 403 or 404 page of a proxy does not mean that our credentials or our payload are wrong.
  if (!isFromService(error)) return 'unavailable';
  return status === 401 || status === 403 ? 'denied' : 'refused';
}

/** The longest Retry-After that is obeyed: a proxy's `Retry-After: 86400` must not silence the agent. */
const RETRY_AFTER_MS_MAX = 3_600_000;

/** The longer one of RetryAfterSeconds (MODEL ThrottlingException) and Retry-After (seconds or a date). */
function retryAfter(error: ReadError, response: SeenResponse | undefined): number | undefined {
  const header = response?.headers['retry-after'];
  const waitsMs = [(error.retryAfterSeconds ?? 0) * 1000];
  if (header !== undefined && /^\d+$/u.test(header.trim())) waitsMs.push(Number(header) * 1000);
  else if (header !== undefined) {
    const sinceMs = serverDate(response) ?? Date.now();
    const untilMs = Date.parse(header);
    if (!Number.isNaN(untilMs)) waitsMs.push(untilMs - sinceMs);
  }
  const waitMs = Math.min(Math.max(...waitsMs), RETRY_AFTER_MS_MAX);
  return waitMs > 0 ? waitMs : undefined;
}

const REASON_POINTS_MAX = 500;

function reasonOf(error: ReadError, { limitMs, response }: FailedCall): string {
  if (limitMs !== undefined) {
    return response === undefined
      ? `no answer within ${limitMs / 1000} s`
      : `the answer was not complete within ${limitMs / 1000} s`;
  }
  // Node leaves the message empty if several addresses were tried; the code is all there is then.
  const text = error.message === '' ? (error.code ?? '') : error.message;
  const status = isFromService(error)
    ? ''
    : ` (HTTP ${response === undefined ? 'answer' : response.status}, not from the service itself)`;
  const remedy = response === undefined ? remedyOf(error.code) : undefined;
  const line = `${error.name}: ${text}${status}${remedy === undefined ? '' : ` (${remedy})`}`
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return Array.from(maskSecrets(line)).slice(0, REASON_POINTS_MAX).join('');
}
