/** Each request of an operator is one event, with all that it says and the number for its answer. */
import { expect, test } from 'vitest';
import { toEvent } from '../../src/agent/operator-request.ts';
import type { Event } from '../../src/core/model/event.ts';
import type { OperatorRequest } from '../../src/ports.ts';
import { definition } from '../support/settings.ts';

const copy = definition('copy');

test.each<[OperatorRequest, Event]>([
  [
    { type: 'start', job: 'copy', adHocRefusal: 'no' },
    { type: 'start-requested', job: 'copy', adHocRefusal: 'no', origin: 'operator', request: 7 },
  ],
  [
    { type: 'submit', definition: copy },
    { type: 'job-submitted', definition: copy, request: 7 },
  ],
  [
    { type: 'cancel', job: 'copy', by: 'anna', graceMs: 5_000 },
    { type: 'cancel-requested', job: 'copy', by: 'anna', graceMs: 5_000, request: 7 },
  ],
  [
    { type: 'history', job: 'copy', run: 3, token: 't' },
    { type: 'history-requested', job: 'copy', run: 3, token: 't', request: 7 },
  ],
  [
    { type: 'track', definitions: [copy] },
    { type: 'track-requested', definitions: [copy], request: 7 },
  ],
  [
    { type: 'report', reports: [{ name: 'a', percent: 4 }] },
    { type: 'reports-made', reports: [{ name: 'a', percent: 4 }], request: 7 },
  ],
  [
    { type: 'outbox', action: 'drop', choice: { job: 'copy' }, by: 'anna' },
    { type: 'outbox-requested', action: 'drop', choice: { job: 'copy' }, by: 'anna', request: 7 },
  ],
  [{ type: 'drain' }, { type: 'drain-requested', request: 7 }],
  [
    { type: 'claim', by: 'anna' },
    { type: 'claim-requested', by: 'anna', request: 7 },
  ],
  [{ type: 'resume' }, { type: 'resume-requested', request: 7 }],
])('$type', (request, event) => {
  expect(toEvent(request, 7)).toEqual(event);
});
