/**
 * The constraint matrix: for each member of each request, every value at its limit is accepted, and every value beyond
 * is refused with the modelled error, which names the member. The other members of the request are all valid.
 */
import { expect, test } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { TYPES } from './constraint-values.ts';
import type { MemberRow, Operation, Values } from './constraint-values.ts';
import { HUB_OPERATIONS } from './constraints-hub.ts';
import { PIPELINE_OPERATIONS } from './constraints-pipeline.ts';
import { createManualClock } from './simulator-driver.ts';

const OPERATIONS = [...HUB_OPERATIONS, ...PIPELINE_OPERATIONS];

test('the table has all 44 operations that are served', () => {
  const served = simulatorOfAll().gateway.targets;
  expect(OPERATIONS.map((each) => each.target).toSorted()).toEqual([...served].toSorted());
  expect(OPERATIONS).toHaveLength(44);
});

test.each(OPERATIONS.filter((each) => each.members.length > 0))(
  '$target accepts values at the limit and refuses values beyond it',
  (operation) => {
    const simulator = simulatorOfAll();
    const refusal = operation.target.startsWith('DataPipeline')
      ? 'InvalidRequestException'
      : 'InvalidInputException';
    const send = (body: unknown): Answer => answerOf(simulator, operation.target, body);
    const whole = wholeRequest(operation);
    expect(send(whole).isRefused).toBe(false);

    for (const row of operation.members) {
      const [path, type, required] = row;
      const { accepted, refused }: Values = TYPES[type];
      for (const value of accepted) {
        const answer = send(withValue(whole, path, value));
        expect.soft(answer.isRefused, `${path} ${shown(value)}: ${answer.message}`).toBe(false);
      }
      const wrong = required === undefined ? refused : [...refused, undefined, null];
      for (const value of wrong) {
        const answer = send(withValue(whole, path, value));
        expect
          .soft([answer.error, answer.status, answer.isRefused], `${path} ${shown(value)}`)
          .toEqual([refusal, 400, true]);
        expect.soft(answer.message).toContain(`'${pathInMessage(path)}'`);
      }
      if (required === undefined && !path.endsWith('[]')) {
        for (const absent of [undefined, null]) {
          expect.soft(send(withValue(whole, path, absent)).isRefused, `no ${path}`).toBe(false);
        }
      }
    }
  },
);

function simulatorOfAll(): Simulator {
  return createSimulator({ clock: createManualClock(), enforceLimits: false, journalSize: 1 });
}

interface Answer {
  readonly status: number;
  readonly error: string;
  readonly message: string;
  /** Refused as malformed. Errors such as ResourceNotFoundException are for well-formed requests. */
  readonly isRefused: boolean;
}

/** Without HTTP, which `real-clients.test.ts` covers: these are some thousands of requests. */
function answerOf(simulator: Simulator, target: string, body: unknown): Answer {
  let result: Answer = { status: 0, error: '', message: '(held)', isRefused: false };
  const hangUp = simulator.gateway.call({ target, body: JSON.stringify(body) }, (delivery) => {
    if (delivery.kind !== 'answer') return false;
    const answer = JSON.parse(delivery.body) as Readonly<Record<string, string>>;
    const message = answer['Message'] ?? answer['message'] ?? '';
    result = {
      status: delivery.status,
      error: answer['__type']?.split('#').at(-1) ?? '',
      message,
      isRefused: /^\d+ validation errors? detected: /.test(message),
    };
    return true;
  });
  hangUp();
  return result;
}

/** Every member, nested ones too, with the first valid value of its type. */
function wholeRequest({ members }: Operation): unknown {
  let request: unknown = {};
  for (const [path, type] of members) {
    const value: unknown = TYPES[type].accepted[0] ?? {};
    request = withValue(request, path, type === 'list' ? [] : value);
  }
  return request;
}

/** A copy in which the member has the value; `[]` is the first item of a list. Undefined removes it. */
function withValue(request: unknown, path: string, value: unknown): unknown {
  const [head = '', ...rest] = path.split(/\.|(?=\[\])/);
  const inner = (old: unknown): unknown =>
    rest.length === 0 ? value : withValue(old, rest.join('.').replaceAll('.[]', '[]'), value);
  if (head === '[]') {
    const items: readonly unknown[] = Array.isArray(request) ? request : [];
    return [inner(items[0] ?? {}), ...items.slice(1)];
  }
  const fields = isRecord(request) ? request : {};
  return { ...fields, [head]: inner(fields[head]) };
}

/** An error names `tags[].key` as `tags.1.member.key`, each name with a lower-case first letter. */
function pathInMessage(path: MemberRow[0]): string {
  return path
    .split('.')
    .map((name) => name.charAt(0).toLowerCase() + name.slice(1))
    .join('.')
    .replaceAll('[]', '.1.member');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text;
}
