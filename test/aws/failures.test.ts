/**
 * Every way in which a call can fail, over real HTTP and through both generations of the SDK, becomes the
 * outcome that the planner needs, within its time and with one attempt.
 */
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../src/aws/client/options.ts';
import { until } from '../support/until.ts';
import type { Call, Outcome } from '../../src/core/model/call.ts';
import type { Services } from '../../src/ports.ts';
import {
  CALLS,
  fail,
  ok,
  page,
  PATIENT,
  servicesAt,
  setEnvironment,
  startStub,
} from './aws-stub.ts';
import type { Answerer, Stub } from './aws-stub.ts';

let stub: Stub;
let services: Services;

beforeEach(async () => {
  setEnvironment();
  stub = await startStub();
  services = servicesAt(stub.url);
});

afterEach(async () => {
  vi.useRealTimers();
  services.close();
  await stub.close();
});

/**
 * Makes a call that is not answered, in virtual time: it must still be under way just before its limit, and ended at it.
 * Requests and answers take the time that they take.
 */
async function endsAt(limitMs: number, made: Services, call: Call): Promise<Outcome> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const before = stub.requests.length;
  let isOver = false;
  const outcome = made.send(call).finally(() => (isOver = true));
  await until('the request has come', () => stub.requests.length > before);
  await vi.advanceTimersByTimeAsync(limitMs - 1);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  const ended = await outcome;
  vi.useRealTimers();
  return ended;
}

/** One call through the older generation of the SDK, one through the newer. */
const BOTH: readonly Call[] = [CALLS.NotifyMigrationTaskState, CALLS.ReportTaskProgress];

async function both(answer: Answerer): Promise<Outcome[]> {
  stub.answer = answer;
  const outcomes: Outcome[] = [];
  for (const call of BOTH) outcomes.push(await services.send(call));
  return outcomes;
}

/** Answers when `count` requests have come: each needs a connection of its own. */
function together(count: number): Answerer {
  const waiting: (() => void)[] = [];
  return (response, request) => {
    waiting.push(() => ok({})(response, request));
    if (waiting.length === count) for (const answer of waiting) answer();
  };
}

function reasonOf(outcome: Outcome): string {
  return outcome.kind === 'accepted' ? '' : outcome.reason;
}

describe('an error of the service', () => {
  test.each([
    [429, 'ThrottlingException', 'throttled'],
    [400, 'ThrottlingException', 'throttled'],
    [400, 'Throttling', 'throttled'],
    [400, 'RequestLimitExceeded', 'throttled'],
    [400, 'TooManyRequestsException', 'throttled'],
    [503, 'SlowDown', 'throttled'],
    [429, 'SomethingNew', 'throttled'],
    [500, 'InternalServerError', 'unavailable'],
    [500, 'InternalServiceError', 'unavailable'],
    [503, 'ServiceUnavailableException', 'unavailable'],
    [502, 'SomethingNew', 'unavailable'],
    [400, 'AccessDeniedException', 'denied'],
    [400, 'UnauthorizedOperation', 'denied'],
    [400, 'UnrecognizedClientException', 'denied'],
    [400, 'ExpiredTokenException', 'denied'],
    [403, 'InvalidSignatureException', 'denied'],
    [403, 'SomethingNew', 'denied'],
    [400, 'PolicyErrorException', 'disabled'],
    [400, 'InvalidInputException', 'refused'],
    [400, 'InvalidRequestException', 'refused'],
    [413, 'RequestEntityTooLargeException', 'refused'],
    [404, 'UnknownOperationException', 'refused'],
    [400, 'SomethingNew', 'refused'],
    [400, 'ResourceNotFoundException', 'missing'],
    [400, 'TaskNotFoundException', 'gone'],
    [400, 'PipelineNotFoundException', 'gone'],
    [400, 'PipelineDeletedException', 'gone'],
    [400, 'HomeRegionNotSetException', 'no-home-region'],
  ])('%d %s is %s', async (status, name, kind) => {
    const date = new Date().toUTCString();
    for (const outcome of await both(fail(status, name, {}, { date }))) {
      expect(outcome.kind).toBe(kind);
      expect(reasonOf(outcome)).toBe(`${name}: ${name} said`);
      expect(outcome.serverDateMs).toBe(Date.parse(date));
    }
    expect(stub.requests).toHaveLength(2);
  });

  test('is known by the header too, and with a namespace', async () => {
    for (const outcome of await both(
      fail(400, 'com.amazonaws.migrationhub#ResourceNotFoundException'),
    )) {
      expect(outcome.kind).toBe('missing');
    }
    const byHeader: Answerer = (response) => {
      response.writeHead(400, { 'x-amzn-errortype': 'TaskNotFoundException:http://internal/' });
      response.end('{}');
    };
    for (const outcome of await both(byHeader)) expect(outcome.kind).toBe('gone');
  });

  test('of Data Pipeline with a message about a rate is a throttle, although its name is not', async () => {
    stub.answer = fail(400, 'InvalidRequestException', { message: 'Rate exceeded' });
    expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('throttled');
  });

  test('is one line, with secrets masked', async () => {
    const message = 'no\nuse:\u0007 https://user:hunter2hunter2@host/ failed';
    for (const outcome of await both(fail(400, 'InvalidInputException', { message }))) {
      expect(reasonOf(outcome)).not.toContain('hunter2');
      expect(reasonOf(outcome)).toMatch(/^InvalidInputException: no use: \P{C}+$/u);
    }
  });
});

describe('the time to wait', () => {
  test('is taken from RetryAfterSeconds', async () => {
    for (const outcome of await both(fail(429, 'ThrottlingException', { RetryAfterSeconds: 7 }))) {
      expect(outcome).toMatchObject({ kind: 'throttled', retryAfterMs: 7000 });
    }
  });

  test('is taken from Retry-After in seconds, or the longer one of both', async () => {
    const header = { 'retry-after': '30' };
    for (const outcome of await both(page(429, header))) {
      expect(outcome).toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 });
    }
    for (const outcome of await both(
      fail(429, 'ThrottlingException', { RetryAfterSeconds: 7 }, header),
    )) {
      expect(outcome).toMatchObject({ retryAfterMs: 30_000 });
    }
  });

  test('is taken from Retry-After as a date, by the clock of the service', async () => {
    const headers = {
      date: 'Mon, 21 Sep 2020 14:13:20 GMT',
      'retry-after': 'Mon, 21 Sep 2020 14:14:05 GMT',
    };
    for (const outcome of await both(fail(429, 'ThrottlingException', {}, headers))) {
      expect(outcome).toMatchObject({ retryAfterMs: 45_000 });
    }
  });

  test('is absent if the answer has none or an invalid one, and an hour at most', async () => {
    for (const nonsense of ['soon', '-5', '0']) {
      for (const outcome of await both(
        fail(429, 'ThrottlingException', { RetryAfterSeconds: 0 }, { 'retry-after': nonsense }),
      )) {
        expect(outcome).not.toHaveProperty('retryAfterMs');
      }
    }
    for (const outcome of await both(page(429, { 'retry-after': '99999999999' }))) {
      expect(outcome).toMatchObject({ retryAfterMs: 3_600_000 });
    }
  });
});

describe('a wrong clock of the host', () => {
  test('is corrected by the answer that complains of it: the next call may come soon', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const complain = fail(403, 'InvalidSignatureException', {}, { date });
    for (const outcome of await both(complain)) expect(outcome.kind).toBe('unavailable');
    // Signed with the right time now: whoever still complains means the secret.
    for (const outcome of await both(complain)) expect(outcome.kind).toBe('denied');
    const stamps = stub.requests.map(({ headers }) => String(headers['x-amz-date']));
    expect(stamps[2]! > stamps[0]!).toBe(true);
    expect(Date.parse(isoOf(stamps[3]!)) - Date.parse(isoOf(stamps[1]!))).toBeGreaterThan(
      3_500_000,
    );
  });

  test('is not the reason of an error that has another', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    for (const outcome of await both(fail(400, 'AccessDeniedException', {}, { date }))) {
      expect(outcome.kind).toBe('denied');
    }
  });
});

/** `20260921T141320Z` as Date.parse wants it. */
function isoOf(stamp: string): string {
  return stamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)/u, '$1-$2-$3:$4:');
}

describe("an answer that is not the service's", () => {
  test.each([
    [200, 'unavailable'],
    [302, 'unavailable'],
    [400, 'unavailable'],
    [403, 'unavailable'],
    [407, 'unavailable'],
    [413, 'refused'],
    [429, 'throttled'],
    [502, 'unavailable'],
    [503, 'unavailable'],
  ])('a page with status %d is %s, and its Date header is ignored', async (status, kind) => {
    const headers = { location: 'http://127.0.0.1:9/login', date: 'Mon, 21 Sep 2026 14:13:20 GMT' };
    for (const outcome of await both(page(status, headers))) {
      expect(outcome.kind).toBe(kind);
      expect(outcome).not.toHaveProperty('serverDateMs');
      expect(reasonOf(outcome)).toContain(`HTTP ${status}`);
    }
    expect(stub.requests).toHaveLength(2);
  });

  test.each(['', '[]', 'null', '"no"', '{"error":"blocked"}'])(
    'an error without a name does not come from the service: %s',
    async (body) => {
      const nameless: Answerer = (response) => response.writeHead(403).end(body);
      for (const outcome of await both(nameless)) {
        expect(outcome.kind).toBe('unavailable');
        expect(outcome).not.toHaveProperty('serverDateMs');
      }
    },
  );

  test('cut JSON is not an answer', async () => {
    const cut: Answerer = (response) => response.end('{"canceled": tr');
    for (const outcome of await both(cut)) expect(outcome.kind).toBe('unavailable');
  });
});

describe('a connection', () => {
  const within = (limit: string): string =>
    expect.stringMatching(
      new RegExp(`^(?:no answer|the answer was not complete) within ${limit}$`, 'u'),
    ) as string;

  test.each<[string, Answerer]>([
    ['says nothing', () => undefined],
    [
      'stops within the body',
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{');
      },
    ],
    [
      'drips its body',
      (response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 20);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('that %s ends at the time limit, a poll at its own', async (_name, answer) => {
    const made = servicesAt(stub.url, { limits: { credentialsMs: 90_000 } });
    // What a first call loads has limits of its own.
    for (const call of [...BOTH, CALLS.PollForTask]) await made.send(call);
    stub.answer = answer;
    for (const call of BOTH) {
      const outcome = await endsAt(LIMITS.callMs, made, call);
      expect(outcome).toMatchObject({ kind: 'unavailable', reason: within('10 s') });
    }
    const poll = await endsAt(LIMITS.pollMs, made, CALLS.PollForTask);
    expect(poll).toMatchObject({ kind: 'unavailable', reason: within('100 s') });
    made.close();
  });

  test('that ends cleanly in the middle of an answer is no answer', async () => {
    const halves: readonly Answerer[] = [
      (response, { socket }) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{}', () => socket.end());
      },
      (response, { socket }) => {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
        // Chunked, without the last chunk.
        response.write('{}', () => socket.end());
      },
    ];
    for (const half of halves) {
      for (const outcome of await both(half)) expect(outcome.kind).toBe('unavailable');
      expect((await services.send(CALLS.PollForTask)).kind).toBe('unavailable');
    }
  });

  test('that is reset is unavailable', async () => {
    const reset: Answerer = (_response, { socket }) => socket.resetAndDestroy();
    for (const outcome of await both(reset)) {
      expect(outcome.kind).toBe('unavailable');
      expect(reasonOf(outcome)).toMatch(/hang up|ECONNRESET/u);
    }
  });

  test('that is refused is unavailable, with a clear reason', async () => {
    const { port } = stub;
    await stub.close();
    for (const call of BOTH) {
      const outcome = await services.send(call);
      expect(outcome.kind).toBe('unavailable');
      expect(reasonOf(outcome)).toContain('ECONNREFUSED');
    }
    stub = await startStub();
    expect(stub.port).not.toBe(port);
  });

  test('that speaks no HTTP is unavailable', async () => {
    const garbage = createServer((socket) => socket.end('\u0000\u0001 what?\r\n\r\n'));
    const strange = servicesAt(`http://127.0.0.1:${await portOf(garbage)}`);
    for (const call of BOTH) expect((await strange.send(call)).kind).toBe('unavailable');
    strange.close();
    garbage.close();
  });

  test('that goes dead while it is kept costs one time limit; the next call has a fresh one', async () => {
    const made = servicesAt(stub.url, { limits: PATIENT });
    for (const call of BOTH) await made.send(call);
    const dead = new Set(stub.requests.map(({ socket }) => socket));
    // As a firewall does that has forgotten a connection: what is sent on it vanishes.
    stub.answer = (response, request) => {
      if (!dead.has(request.socket)) ok({})(response, request);
    };
    expect(await endsAt(PATIENT.callMs, made, BOTH[0]!)).toMatchObject({
      reason: 'no answer within 90 s',
    });
    for (const call of BOTH) expect((await made.send(call)).kind).toBe('accepted');
    made.close();
  });

  test('that goes dead takes the other kept ones with it after the third: none of them costs a time limit more', async () => {
    const made = servicesAt(stub.url, { limits: PATIENT });
    // None is answered before all have come.
    stub.answer = together(6);
    await Promise.all(Array.from({ length: 6 }, () => made.send(BOTH[1]!)));
    const dead = new Set(stub.requests.map(({ socket }) => socket));
    expect(dead.size).toBe(6);
    stub.answer = (response, request) => {
      if (!dead.has(request.socket)) ok({})(response, request);
    };
    for (let i = 0; i < 3; i++) {
      expect((await endsAt(PATIENT.callMs, made, BOTH[1]!)).kind).toBe('unavailable');
    }
    for (let i = 0; i < 3; i++) expect((await made.send(BOTH[1]!)).kind).toBe('accepted');
    made.close();
  });

  test('that failed three times in a row is not used again: idle ones are closed', async () => {
    stub.answer = together(6);
    await Promise.all(Array.from({ length: 6 }, () => services.send(BOTH[1]!)));
    const idle = stub.requests.map(({ socket }) => socket);
    expect(new Set(idle).size).toBe(6);
    stub.answer = (_response, { socket }) => socket.destroy();
    const open = (): number => idle.filter(({ destroyed }) => !destroyed).length;
    // Each failure takes the connection with it that it was on; the third one takes all.
    for (let i = 0; i < 2; i++) await services.send(BOTH[1]!);
    expect(open()).toBe(4);
    await services.send(BOTH[1]!);
    await until('none is open', () => open() === 0);
    stub.answer = ok({});
    expect((await services.send(BOTH[1]!)).kind).toBe('accepted');
  });
});

test('failures count in a row: an answer between them begins anew, and a poll is another matter', async () => {
  stub.answer = together(6);
  await Promise.all(Array.from({ length: 6 }, () => services.send(BOTH[1]!)));
  const idle = stub.requests.map(({ socket }) => socket);
  const fails: Answerer = (_response, { socket }) => socket.destroy();
  const steps: readonly (readonly [Call, Answerer])[] = [
    [BOTH[1]!, fails],
    [BOTH[1]!, fails],
    [BOTH[1]!, ok({})],
    [BOTH[1]!, fails],
    // An error of the service is an answer, too.
    [BOTH[1]!, fail(400, 'InvalidRequestException')],
    [BOTH[1]!, fails],
    [CALLS.PollForTask, fails],
    [CALLS.PollForTask, fails],
  ];
  for (const [call, answer] of steps) {
    stub.answer = answer;
    await services.send(call);
  }
  await until('each failure has taken its own connection', () => {
    return idle.filter(({ destroyed }) => destroyed).length === 4;
  });
  // One that is still open is used again.
  stub.answer = ok({});
  await services.send(BOTH[1]!);
  expect(idle).toContain(stub.requests.at(-1)!.socket);
});

describe('a long poll', () => {
  test('has more time than other calls', async () => {
    const made = servicesAt(stub.url, { limits: { ...PATIENT, callMs: 100 } });
    stub.answer = (response, request) => setTimeout(() => ok({})(response, request), 300);
    expect((await made.send(CALLS.PollForTask)).kind).toBe('accepted');
    made.close();
  });

  test('that a proxy cuts after a silence counts as no task', async () => {
    const cut: Answerer = (_response, { socket }) => setTimeout(() => socket.destroy(), 700);
    const gaveUp: Answerer = (response, request) =>
      setTimeout(() => page(504)(response, request), 700);
    const quiet = servicesAt(stub.url, { limits: { ...PATIENT, quietPollMs: 600 } });
    for (const answer of [cut, gaveUp]) {
      stub.answer = answer;
      expect(await quiet.send(CALLS.PollForTask)).toEqual({ kind: 'accepted', answer: {} });
    }
    quiet.close();
  });

  test('that is cut at once, or that the service itself fails, is a failure', async () => {
    const cut: Answerer = (_response, { socket }) => socket.destroy();
    const failed: Answerer = (response, request) =>
      setTimeout(() => fail(500, 'InternalServiceError')(response, request), 700);
    const halfTask: Answerer = (response, { socket }) =>
      setTimeout(() => {
        response.write('{"taskObject": {"taskId"');
        setTimeout(() => socket.destroy(), 20);
      }, 700);
    const quiet = servicesAt(stub.url, { limits: { ...PATIENT, quietPollMs: 600 } });
    for (const answer of [failed, halfTask]) {
      stub.answer = answer;
      expect((await quiet.send(CALLS.PollForTask)).kind).toBe('unavailable');
    }
    quiet.close();
    stub.answer = cut;
    expect((await services.send(CALLS.PollForTask)).kind).toBe('unavailable');
  });

  test('outlives the time after which an idle connection is closed', async () => {
    const made = servicesAt(stub.url, { limits: { ...PATIENT, idleMs: 100 } });
    stub.answer = (response, request) => setTimeout(() => ok({})(response, request), 500);
    expect((await made.send(CALLS.PollForTask)).kind).toBe('accepted');
    made.close();
  });

  test('never takes a connection from other calls', async () => {
    stub.answer = (response, request) => {
      if (!request.target.endsWith('PollForTask')) ok({})(response, request);
    };
    const polls = Array.from({ length: 60 }, () => services.send(CALLS.PollForTask));
    await until('all of them wait', () => stub.requests.length === polls.length);
    expect((await services.send(CALLS.ReportTaskProgress)).kind).toBe('accepted');
    services.close();
    for (const outcome of await Promise.all(polls)) {
      expect(reasonOf(outcome)).toContain('closing');
    }
  });
});

describe('closing', () => {
  test('ends calls in flight, and later calls are not made', async () => {
    stub.answer = () => undefined;
    const underWay = [...BOTH, CALLS.PollForTask].map((call) => services.send(call));
    await until('three calls wait', () => stub.requests.length === 3);
    services.close();
    for (const outcome of await Promise.all(underWay)) {
      expect(outcome).toMatchObject({ kind: 'unavailable' });
      expect(reasonOf(outcome)).toContain('closing');
    }
    expect((await services.send(CALLS.GetHomeRegion)).kind).toBe('unavailable');
    expect(stub.requests).toHaveLength(3);
  });
});

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('DryRunOperation accepts a dry run, and nothing that was meant', async () => {
  stub.answer = fail(400, 'DryRunOperation');
  const call = CALLS.NotifyMigrationTaskState;
  const dry: Call = { ...call, dryRun: true };
  expect((await services.send(dry)).kind).toBe('accepted');
  expect((await services.send(call)).kind).toBe('refused');
});
