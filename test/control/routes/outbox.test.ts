/** The outbox over the socket: what is shown, and what is asked of the agent. */
import { expect, test } from 'vitest';
import type { OutboxEntry } from '../../../src/core/model/outbox.ts';
import { call, serve } from '../control-server-fixture.ts';

const ENTRIES = [
  entry('copy', 'migrationHub'),
  entry('copy', 'dataPipeline'),
  entry('dump', 'migrationHub'),
];

function entry(job: string, destination: OutboxEntry['destination']): OutboxEntry {
  return {
    job,
    destination,
    operation: destination === 'migrationHub' ? 'NotifyMigrationTaskState' : 'SetTaskStatus',
    task: `${job} at ${destination}`,
    message: 'COMPLETED',
    attempts: 1,
    quarantined: false,
  };
}

test.each([
  ['', ['copy/migrationHub', 'copy/dataPipeline', 'dump/migrationHub']],
  ['?job=copy', ['copy/migrationHub', 'copy/dataPipeline']],
  ['?destination=migrationHub', ['copy/migrationHub', 'dump/migrationHub']],
  ['?job=copy&destination=dataPipeline', ['copy/dataPipeline']],
  ['?job=dump&destination=dataPipeline', []],
])('GET /v1/outbox%s shows what was asked for', async (query, expected) => {
  const { operator, socketPath } = await serve();
  operator.pending = ENTRIES;
  const { json } = await call(socketPath, 'GET', `/v1/outbox${query}`);
  const { outbox } = json as { outbox: readonly OutboxEntry[] };
  expect(outbox.map(({ job, destination }) => `${job}/${destination}`)).toEqual(expected);
});

test.each(['retry', 'drop'] as const)(
  '%s names its choice, and who asks; without a choice it means all',
  async (action) => {
    const { operator, socketPath } = await serve();
    const path = `/v1/outbox/${action}`;
    for (const body of [
      {},
      { job: 'copy', by: 'anna' },
      { job: 'copy', destination: 'dataPipeline' },
    ]) {
      expect((await call(socketPath, 'POST', path, JSON.stringify(body))).status).toBe(200);
    }
    expect(operator.asked).toEqual([
      { type: 'outbox', action, choice: {}, by: 'operator' },
      { type: 'outbox', action, choice: { job: 'copy' }, by: 'anna' },
      {
        type: 'outbox',
        action,
        choice: { job: 'copy', destination: 'dataPipeline' },
        by: 'operator',
      },
    ]);
    const unknown = await call(socketPath, 'POST', path, '{"destination":"elsewhere"}');
    expect(unknown.status).toBe(400);
    expect(operator.asked).toHaveLength(3);
  },
);

test.each(['drain', 'resume', 'claim', 'reload', 'outbox/retry', 'outbox/drop'])(
  'POST /v1/%s is for root and the user of the agent; others are refused and nothing is asked',
  async (path) => {
    let uid = 1000;
    let hasReloaded = false;
    const { operator, socketPath } = await serve({
      readPeer: () => ({ pid: 1, uid, groups: [] }),
      adHoc: () => ({ policy: 'self', agentUid: 990 }),
    });
    operator.reload = () => {
      hasReloaded = true;
      return Promise.resolve({ ok: true, message: 'done' });
    };
    const codes = [];
    for (uid of [1000, 0, 990]) {
      codes.push((await call(socketPath, 'POST', `/v1/${path}`)).status);
      if (uid === 1000) expect([operator.asked, hasReloaded]).toEqual([[], false]);
    }
    expect(codes).toEqual([403, 200, 200]);
  },
);
