/** `history` against a real socket: all pages, in the order of time, and what becomes of a page that is refused. */
import { expect, test } from 'vitest';
import type { Reply } from '../../../src/core/model/action.ts';
import type { OperatorRequest } from '../../../src/ports.ts';
import { serve } from '../../control/control-server-fixture.ts';
import { jobNamed } from '../../control/operator-in-memory.ts';
import { run } from '../terminal-in-memory.ts';
import type { Result } from '../terminal-in-memory.ts';

type Page = NonNullable<Extract<Reply, { ok: true }>['page']>;
type Update = Page['updates'][number];

const update = (stampS: number, percent: number): Update => ({
  ...{ stampS, percent, status: 'IN_PROGRESS' },
});

function page(updates: readonly Update[], nextToken?: string): Reply {
  const whole = { region: 'eu-central-1', stream: 'acme', task: 'copy', updates };
  return {
    ...{ ok: true, message: 'read' },
    page: nextToken === undefined ? whole : { ...whole, nextToken },
  };
}

/** `history copy` of an agent that answers each question in this way; and what it was asked. */
async function history(
  answer: (request: OperatorRequest, asked: number) => Reply,
  ...options: readonly string[]
): Promise<Result & { asked: readonly OperatorRequest[] }> {
  const { operator, socketPath } = await serve();
  operator.show(jobNamed('copy', { run: 3 }));
  operator.answer = (request) => answer(request, operator.asked.length);
  const result = await run(['history', 'copy', '--socket', socketPath, ...options]);
  return { ...result, asked: operator.asked };
}

interface Shown {
  readonly task: string;
  readonly nextToken?: string;
  readonly updates: readonly { readonly percent: number }[];
}
const percents = ({ stdout }: Result): number[] =>
  (JSON.parse(stdout) as Shown).updates.map(({ percent }) => percent);

test('every page is read, and the updates are in the order of time whatever that of the pages', async () => {
  const result = await history(
    (_request, asked) =>
      asked === 1
        ? page([update(300, 3), update(400, 4)], 'next')
        : page([update(100, 1), update(200, 2)]),
    '--json',
  );
  expect(result.code).toBe(0);
  expect(percents(result)).toEqual([1, 2, 3, 4]);
  expect(result.stderr).toBe('2 updates read so far\n');
  expect(result.asked).toMatchObject([{ type: 'history', job: 'copy' }, { token: 'next' }]);
  expect(result.asked[0]).not.toHaveProperty('token');
  expect(result.asked[0]).not.toHaveProperty('run');
  expect(JSON.parse(result.stdout)).not.toHaveProperty('nextToken');
});

test('another run is asked for on every page', async () => {
  const { asked } = await history(
    (_request, count) => (count === 1 ? page([], 'next') : page([])),
    ...['--run', '1', '--json'],
  );
  expect(asked).toMatchObject([{ run: 1 }, { run: 1, token: 'next' }]);
});

test('a token that comes back ends it: a service that returns the same page for ever is no history', async () => {
  const result = await history((_request, asked) =>
    page([update(asked, 1)], asked % 2 ? 'a' : 'b'),
  );
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('the service returned the same page twice');
  expect(result.asked).toHaveLength(3);
});

test('an expired token restarts at the first page, twice at most', async () => {
  const expired: Reply = { ok: false, code: 'expired', message: 'the token has expired' };
  const once = await history((_request, asked) => {
    if (asked === 1) return page([update(100, 1)], 'old');
    return asked === 2 ? expired : page([update(200, 2)]);
  }, '--json');
  expect(once.code).toBe(0);
  // What was read before is read again.
  expect(percents(once)).toEqual([2]);
  expect(once.stderr).toContain('reading from the first page again');
  expect(once.asked.map((request) => 'token' in request)).toEqual([false, true, false]);

  const always = await history(() => expired);
  expect(always.code).not.toBe(0);
  expect(always.asked).toHaveLength(3);
  expect(always.stderr).toContain('the token has expired');
});

test('a refused first page is an error, with its reason', async () => {
  const result = await history(() => ({ ok: false, code: 'unavailable', message: 'AWS is away' }));
  expect([result.code, result.stdout]).toEqual([1, '']);
  expect(result.stderr).toContain('AWS is away');
  expect(result.asked).toHaveLength(1);
});

test('--limit shows the newest, says how many are left out, and how to see them', async () => {
  const updates = Array.from({ length: 5 }, (_, index) => update(index * 60, index * 10));
  const two = await history(() => page(updates), '--limit', '2');
  const rows = two.stdout.split('\n').filter((line) => line.includes('IN_PROGRESS'));
  expect(rows).toHaveLength(2);
  expect(rows[0]).toContain('30%');
  expect(rows[1]).toContain('40%');
  expect(two.stdout).toContain('5 updates');
  expect(two.stdout).toContain('and 3 older ones: --limit 5');
  const all = await history(() => page(updates), '--limit', '5');
  expect(all.stdout).not.toContain('older');
});

test('nothing recorded yet is a line, not a table', async () => {
  const { stdout } = await history(() => page([]));
  expect(stdout).toBe('copy  stream acme, eu-central-1, 0 updates\n');
});
