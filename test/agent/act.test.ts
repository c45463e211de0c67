/** Each action goes to the port that performs it, with what it names, and to no other. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createAct } from '../../src/agent/act.ts';
import type { Outside } from '../../src/agent/act.ts';
import type { Action } from '../../src/core/model/action.ts';
import type { Call, Outcome } from '../../src/core/model/call.ts';
import type { Event } from '../../src/core/model/event.ts';
import { START, aRun } from '../support/desk.ts';

const run = aRun();
const poll: Call = { operation: 'PollForTask', workerGroup: 'files', hostname: 'h' };

/** What is done outside, one line for each call of a port. */
function outside(send: (call: Call) => Promise<Outcome> = () => new Promise(() => undefined)) {
  const done: unknown[][] = [];
  const events: Event[] = [];
  const record =
    (port: string) =>
    (...given: unknown[]): void =>
      void done.push([port, ...given]);
  const unasked = { close: () => Promise.reject(new Error('nobody asked for that')) };
  const parts: Outside = {
    clock: { bootId: 'b', now: () => START, wakeAt: () => () => undefined },
    gates: {
      ...unasked,
      ...{ ask: record('ask'), giveBack: record('give back'), problems: () => [] },
      ...{ levels: () => new Map(), fleet: () => undefined },
    },
    services: {
      send: (call) => {
        done.push(['send', call]);
        return send(call);
      },
      close: () => undefined,
    },
    jobs: {
      ...unasked,
      ...{ start: record('start'), adopt: record('adopt'), signalTree: record('signal') },
      ...{ checkTree: record('check'), forget: record('forget'), settled: record('settled') },
    },
    tracked: { ...unasked, watch: record('watch'), release: record('release') },
    post: (event) => events.push(event),
    answer: record('answer'),
    exit: record('exit'),
  };
  return { act: createAct(parts), done, events };
}

test.each<[Action, readonly unknown[]]>([
  [{ type: 'ask-gate', operation: 'PollForTask', slots: 2 }, ['ask', 'PollForTask', 2]],
  [{ type: 'return-slots', operation: 'PollForTask', slots: 3 }, ['give back', 'PollForTask', 3]],
  [{ type: 'call', id: 7, call: poll }, ['send', poll]],
  [{ type: 'start-run', run }, ['start', run]],
  [{ type: 'adopt-run', run }, ['adopt', run]],
  [{ type: 'signal-tree', run, signal: 'SIGTERM' }, ['signal', run, 'SIGTERM']],
  [{ type: 'check-tree', run }, ['check', run]],
  [{ type: 'watch-run', run }, ['watch', run]],
  [{ type: 'release-run', run }, ['release', run]],
  [{ type: 'settle-run', run }, ['settled', run]],
  [{ type: 'forget-run', run }, ['forget', run]],
  [{ type: 'answer', request: 5, reply: { ok: true, message: 'x' } }, ['answer', 5]],
  [{ type: 'exit', code: 75 }, ['exit', 75]],
])('$type', (action, expected) => {
  const { act, done } = outside();
  act(action);
  expect(done).toHaveLength(1);
  expect(done[0]?.slice(0, expected.length)).toEqual(expected);
});

test('an answer goes to the request that it is for', () => {
  const { act, done } = outside();
  const reply = { ok: false, code: 'conflict', message: 'x' } as const;
  act({ type: 'answer', request: 5, reply });
  expect(done).toEqual([['answer', 5, reply]]);
});

test.each<[string, () => Promise<Outcome>, Outcome]>([
  [
    'its outcome',
    () => Promise.resolve({ kind: 'gone', reason: 'x' }),
    { kind: 'gone', reason: 'x' },
  ],
  [
    'a bug, if the port fails',
    () => Promise.reject(new Error('no such thing')),
    { kind: 'unavailable', reason: 'bug in the agent: no such thing' },
  ],
  [
    'a bug, whatever the port throws',
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is what is tried
    () => Promise.reject('a text'),
    { kind: 'unavailable', reason: 'bug in the agent: a text' },
  ],
])('a call is settled with %s, and when it was sent', async (_what, send, outcome) => {
  const { act, events } = outside(send);
  act({ type: 'call', id: 7, call: poll });
  await turn();
  expect(events).toEqual([{ type: 'call-settled', id: 7, call: poll, outcome, sentAt: START }]);
});
