/** What a failed call means, by its error and the head of its answer. Calls over HTTP are in failures.test.ts. */
import { describe, expect, test } from 'vitest';
import {
  hasPassedDryRun,
  hasStaleCredentials,
  isConnectionFailure,
  isQuietPoll,
  outcomeOfFailure,
} from '../../src/aws/outcomes.ts';
import type { FailedCall, SeenResponse } from '../../src/aws/outcomes.ts';

function failed(
  error: unknown,
  response?: Partial<SeenResponse> & { status: number },
  limitMs?: number,
): FailedCall {
  return {
    error,
    response: response && { headers: {}, signed: undefined, ...response },
    limitMs,
  };
}

function named(name: string, message = 'said', rest: object = {}): object {
  return { name, message, ...rest };
}

describe('a connection failure', () => {
  test.each<[string, FailedCall, boolean]>([
    ['no answer', failed(named('Error')), true],
    ['a throttle', failed(named('ThrottlingException'), { status: 429 }), false],
    ['a 500 of the service', failed(named('InternalFailure'), { status: 500 }), false],
    ['a page of a proxy', failed(named('SyntaxError'), { status: 200 }), false],
    ['our limit before an answer', failed(named('TooLate'), undefined, 10_000), true],
    ['our limit within an answer', failed(named('TooLate'), { status: 200 }, 10_000), true],
    ['no credentials', failed(named('CredentialsProviderError')), false],
  ])('%s: %o is %s', (_what, call, is) => {
    expect(isConnectionFailure(call)).toBe(is);
  });
});

describe('a poll that the network cut', () => {
  const cut = failed(named('Error', 'socket hang up'));
  test.each<[string, FailedCall, number, boolean]>([
    ['after just so long a silence', cut, 20_000, true],
    ['a millisecond before', cut, 19_999, false],
    ['by a gateway', failed(named('SyntaxError'), { status: 504 }), 30_000, true],
    ['by a gateway, too', failed(named('408'), { status: 408 }), 30_000, true],
    [
      'by the service itself',
      failed(named('InternalServiceError'), { status: 502 }),
      30_000,
      false,
    ],
    ['with another status', failed(named('SyntaxError'), { status: 503 }), 30_000, false],
    ['by our own limit', failed(named('TooLate'), undefined, 100_000), 100_000, false],
  ])('%s', (_how, call, silentMs, isQuiet) => {
    expect(isQuietPoll(call, silentMs, 20_000)).toBe(isQuiet);
  });
});

describe('the reason', () => {
  const reasonOf = (call: FailedCall): string =>
    (outcomeOfFailure(call) as { reason: string }).reason;

  test('has 500 characters at most, counted in code points, secrets masked before it is cut', () => {
    const reason = reasonOf(failed(named('Error', '😀'.repeat(600))));
    expect(Array.from(reason)).toHaveLength(500);
    expect(reason.isWellFormed()).toBe(true);
    // Wherever it is cut: only the end of an address without a scheme shows that it has a password.
    for (const secret of ['https://anna:hunter2hunter2@host/', 'anna:hunter2hunter2@host/']) {
      for (let before = 440; before < 500; before += 1) {
        const text = `${'x'.repeat(before)} ${secret}`;
        expect(reasonOf(failed(named('Error', text)))).not.toMatch(/:h|hunter/);
      }
    }
  });

  test('names the limit, and whether an answer had begun', () => {
    expect(reasonOf(failed(named('TooLate'), undefined, 10_000))).toBe('no answer within 10 s');
    expect(reasonOf(failed(named('TooLate'), { status: 200 }, 700))).toBe(
      'the answer was not complete within 0.7 s',
    );
  });

  test('is the code if there is no message, and says who answered instead of the service', () => {
    expect(reasonOf(failed(named('AggregateError', '', { code: 'ENOTFOUND' })))).toMatch(
      /^AggregateError: ENOTFOUND/,
    );
    expect(reasonOf(failed(named('SyntaxError', 'bad'), { status: 502 }))).toBe(
      'SyntaxError: bad (HTTP 502, not from the service itself)',
    );
    expect(reasonOf(failed('plain text'))).toBe('Error: plain text');
    expect(reasonOf(failed(null))).toBe('Error: null');
    // The older generation of the SDK writes it with a capital.
    expect(reasonOf(failed({ name: 'Refused', Message: 'said' }, { status: 400 }))).toBe(
      'Refused: said',
    );
  });
});

describe('the time to wait', () => {
  const waitOf = (call: FailedCall): unknown =>
    outcomeOfFailure(call).kind === 'throttled'
      ? (outcomeOfFailure(call) as { retryAfterMs?: number }).retryAfterMs
      : 'none';
  const throttled = (rest: object, headers: Record<string, string> = {}): FailedCall =>
    failed(named('ThrottlingException', 'said', rest), { status: 400, headers });

  test.each<[FailedCall, number | undefined | string]>([
    [throttled({ RetryAfterSeconds: 7 }), 7000],
    [throttled({ RetryAfterSeconds: -7 }), undefined],
    [throttled({ RetryAfterSeconds: '7' }), undefined],
    [throttled({ RetryAfterSeconds: 7 }, { 'retry-after': ' 9 ' }), 9000],
    [throttled({ RetryAfterSeconds: 9 }, { 'retry-after': '7' }), 9000],
    [throttled({}, { 'retry-after': '3600' }), 3_600_000],
    [throttled({}, { 'retry-after': '3601' }), 3_600_000],
    [throttled({}, { 'retry-after': '1e3' }), undefined],
    [
      failed(named('AccessDeniedException'), { status: 400, headers: { 'retry-after': '9' } }),
      'none',
    ],
  ])('%o: %s', (call, waitMs) => {
    expect(waitOf(call)).toBe(waitMs);
  });
});

describe('an answer that complains of the time', () => {
  const headers = { date: 'Mon, 21 Sep 2026 14:13:20 GMT' };
  const kind = (signed: string | undefined, withDate = true): string =>
    outcomeOfFailure(
      failed(named('InvalidSignatureException'), {
        status: 403,
        headers: withDate ? headers : {},
        signed,
      }),
    ).kind;

  test.each([
    ['20260921T141320Z', 'denied'],
    ['20260921T140821Z', 'denied'],
    ['20260921T140820Z', 'unavailable'],
    ['20260921T141820Z', 'unavailable'],
    ['nonsense', 'denied'],
    [undefined, 'denied'],
  ])('signed at %s: %s', (signed, expected) => {
    expect(kind(signed)).toBe(expected);
  });

  test('without a date nothing shows that the clock is wrong', () => {
    expect(kind('20250921T141320Z', false)).toBe('denied');
  });
});

test('an answer without a name is judged by its status', () => {
  const kindOf = (status: number, name = 'SomethingNew'): string =>
    outcomeOfFailure(failed(named(name), { status })).kind;
  expect(
    [399, 400, 401, 402, 403, 404, 408, 413, 429, 499, 500].map((status) => kindOf(status)),
  ).toEqual([
    ...['unavailable', 'refused', 'denied', 'refused', 'denied', 'refused'],
    ...['unavailable', 'refused', 'throttled', 'refused', 'unavailable'],
  ]);
  for (const name of ['Unknown', 'UnknownError', 'TypeError', '403']) {
    expect(kindOf(403, name)).toBe('unavailable');
  }
  // Only such a name as a whole: one of the service may begin like it.
  expect(kindOf(403, 'UnknownErrorOfService')).toBe('denied');
});

test('new credentials may help, or a dry run has passed, only if the error says so', () => {
  expect(
    ['ExpiredTokenException', 'AccessDeniedException'].map((name) =>
      hasStaleCredentials(named(name)),
    ),
  ).toEqual([true, false]);
  expect(
    ['DryRunOperation', 'InvalidInputException'].map((name) => hasPassedDryRun(named(name))),
  ).toEqual([true, false]);
});
