/** One page of what Migration Hub recorded, for each request: who is asked, and what each outcome is answered with. */
import { describe, expect, test } from 'vitest';
import { MINUTE_MS } from '../../../src/core/lib/time.ts';
import type { Reply } from '../../../src/core/model/action.ts';
import type { Outcome } from '../../../src/core/model/call.ts';
import { Desk, UNAVAILABLE, accepted, failing } from '../../support/desk.ts';
import type { Answers } from '../../support/desk.ts';
import { HUB_JOB, definition } from '../../support/settings.ts';

const LIST = 'ListMigrationTaskUpdates';
const UPDATE = { stampS: 1_767_225_600, status: 'IN_PROGRESS', percent: 7 };

function deskWhere(answers: Answers = accepted): Desk {
  const { migrationHub, ...unreported } = definition('unreported');
  expect(migrationHub).toBeDefined();
  const numbered = definition('copy', { migrationHub: { ...HUB_JOB, task: '{job}-{run}' } });
  const desk = new Desk({ jobs: [numbered, definition('never'), unreported], answers });
  for (const job of ['copy', 'copy', 'unreported']) desk.exit(desk.start(job));
  desk.pass(MINUTE_MS);
  return desk;
}

function ask(desk: Desk, job: string, more: { run?: number; token?: string } = {}) {
  return desk.post({ type: 'history-requested', job, request: 7, ...more });
}

describe('what is asked for', () => {
  const page: Outcome = { kind: 'accepted', answer: { updates: [UPDATE], nextToken: 'more' } };

  test('the latest run’s task, or that of the run with the number', () => {
    const desk = deskWhere(failing(LIST, page));
    const address = { region: 'eu-central-1', stream: 'test-stream' };
    expect(ask(desk, 'copy')).toEqual({
      ...{ ok: true, message: '1 updates' },
      page: { ...address, task: 'copy-2', updates: [UPDATE], nextToken: 'more' },
    });
    ask(desk, 'copy', { run: 1 });
    ask(desk, 'copy', { token: 'more' });
    expect(desk.callsOf(LIST)).toEqual([
      { operation: LIST, ...address, task: 'copy-2' },
      { operation: LIST, ...address, task: 'copy-1' },
      { operation: LIST, ...address, task: 'copy-2', token: 'more' },
    ]);
    expect(desk.actionsOf('answer').map(({ request }) => request)).toEqual([7, 7, 7]);
  });

  test('the last page has no token, and one without updates is a page', () => {
    const desk = deskWhere(failing(LIST, { kind: 'accepted', answer: {} }));
    const reply = ask(desk, 'copy');
    expect(reply).toMatchObject({ ok: true, message: '0 updates', page: { updates: [] } });
    expect(reply?.ok === true && reply.page).not.toHaveProperty('nextToken');
  });
});

describe('what cannot be asked is refused at once', () => {
  test.each<[string, number | undefined, string, string]>([
    ['nobody', undefined, 'no-such-job', 'there is no job "nobody"'],
    ['never', undefined, 'conflict', 'never has never run'],
    ['copy', 3, 'conflict', 'run 3 of copy is not kept'],
    ['unreported', undefined, 'conflict', 'unreported/1 is not reported to Migration Hub'],
  ])('%s, run %s: %s', (job, run, code, message) => {
    const desk = deskWhere();
    expect(ask(desk, job, run === undefined ? {} : { run })).toEqual({ ok: false, code, message });
    expect(desk.callsOf(LIST)).toEqual([]);
  });

  test('while the home region is not known', () => {
    const desk = new Desk({ jobs: [definition('copy')], answers: () => undefined });
    desk.start('copy');
    const message = 'the home region is not known yet (migration-agent status)';
    expect(ask(desk, 'copy')).toEqual({ ok: false, code: 'unavailable', message });
  });

  test('while the operation pauses for long; a short pause is waited for', () => {
    const paused = (retryAfterMs: number): Reply | undefined => {
      const outcome: Outcome = { kind: 'throttled', reason: 'ThrottlingException', retryAfterMs };
      const desk = deskWhere(failing(LIST, outcome));
      ask(desk, 'copy');
      return ask(desk, 'copy');
    };
    expect(paused(10_001)).toEqual({
      ...{ ok: false, code: 'unavailable' },
      message: `no call of ${LIST} for 11 s: ThrottlingException`,
    });
    expect(paused(10_000)).toBeUndefined();
  });
});

describe('a failure is answered, and not repeated', () => {
  const refused: Outcome = { kind: 'refused', reason: 'bad token' };
  test.each<[string, Outcome, string | undefined, Reply]>([
    [
      'a token that is refused has expired',
      ...([refused, 'old'] as const),
      {
        ...{ ok: false, code: 'expired' },
        message: 'the token has expired, start again from the first page: bad token',
      },
    ],
    [
      'the first page that is refused has no token to blame',
      ...([refused, undefined] as const),
      { ok: false, code: 'unavailable', message: `${LIST}: bad token` },
    ],
    [
      'a task that the Hub does not know',
      ...([{ kind: 'missing', reason: 'x' }, undefined] as const),
      {
        ...{ ok: false, code: 'conflict' },
        message:
          'Migration Hub knows no task "copy-2" of stream "test-stream" in eu-central-1 (yet)',
      },
    ],
    [
      'an outage',
      ...([UNAVAILABLE, 'old'] as const),
      { ok: false, code: 'unavailable', message: `${LIST}: ECONNREFUSED` },
    ],
  ])('%s', (_what, outcome, token, reply) => {
    const desk = deskWhere(failing(LIST, outcome));
    expect(ask(desk, 'copy', token === undefined ? {} : { token })).toEqual(reply);
    desk.pass(5 * MINUTE_MS);
    expect(desk.callsOf(LIST)).toHaveLength(1);
  });
});
