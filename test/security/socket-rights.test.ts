/**
 * What a member of the socket's group may ask of the agent, endpoint by endpoint. The list of endpoints is the agent's own
 * description of itself, so that a new one is refused here until somebody has decided who may call it.
 */
import { expect, test } from 'vitest';
import { call, serve } from '../control/control-server-fixture.ts';

const AGENT = 998;
const MEMBER = 1000;

/** Reading, start, cancel, report and track are for the group; the rest changes the agent as a whole. */
const FOR_THE_GROUP = [
  'POST /v1/jobs/{name}/start',
  'POST /v1/jobs/{name}/cancel',
  'POST /v1/tracked',
  'POST /v1/reports',
];

interface Caller {
  readonly policy: 'self' | 'group' | 'off';
  /** Absent: this host cannot read who calls. */
  readonly uid?: number;
}

async function forbidden({ policy, uid }: Caller): Promise<Map<string, string>> {
  const { socketPath } = await serve({
    adHoc: () => ({ policy, agentUid: AGENT }),
    ...(uid === undefined ? {} : { readPeer: () => ({ pid: 1, uid, groups: [uid] }) }),
  });
  const { text } = await call(socketPath, 'GET', '/v1/openapi.json');
  const { paths } = JSON.parse(text) as { paths: Record<string, object> };
  const refusals = new Map<string, string>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods).map((name) => name.toUpperCase())) {
      // A stream would not end.
      if (path.endsWith('/events') || path.endsWith('/logs')) continue;
      const at = path.replace('{name}', 'files');
      const answer = await call(
        socketPath,
        method,
        at,
        method === 'GET' ? undefined : (BODIES[path] ?? '{}'),
      );
      if (answer.status === 403) refusals.set(`${method} ${path}`, answer.text);
      // No request is refused for anything else: then it would not show who may make it.
      else
        expect([`${method} ${path}`, answer.status, answer.text]).toEqual([
          `${method} ${path}`,
          expect.toSatisfy((status: number) => status < 300 || status === 404),
          answer.text,
        ]);
    }
  }
  return refusals;
}

const BODIES: Readonly<Record<string, string>> = {
  '/v1/jobs': '{"name":"files","command":["id"]}',
  '/v1/tracked': '{"name":"files"}',
  '/v1/reports': '{"name":"files","percent":1}',
};

async function posts(): Promise<string[]> {
  const { socketPath } = await serve();
  const { text } = await call(socketPath, 'GET', '/v1/openapi.json');
  const { paths } = JSON.parse(text) as { paths: Record<string, object> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    'post' in methods ? [`POST ${path}`] : [],
  );
}

test.each([
  { policy: 'self', uid: MEMBER },
  { policy: 'off', uid: MEMBER },
  { policy: 'self' },
] as const)(
  'of %o: everything is refused but reading, start, cancel, report and track',
  async (caller) => {
    const refusals = await forbidden(caller);
    const others = (await posts()).filter((endpoint) => !FOR_THE_GROUP.includes(endpoint));
    expect([...refusals.keys()].sort()).toEqual(others.sort());
    expect(others).toContain('POST /v1/reload');
    for (const text of refusals.values()) {
      expect(text).toContain(`agent.adHoc`);
      expect(text).toMatch(
        /root and the user of the agent \(uid 998\)|commands that the configuration does not name are refused/,
      );
    }
  },
);

test('without readable credentials the refusal says what is missing', async () => {
  const refusals = await forbidden({ policy: 'self' });
  expect(refusals.get('POST /v1/drain')).toContain('koffi');
});

test.each([
  { policy: 'self', uid: 0 },
  { policy: 'self', uid: AGENT },
  { policy: 'group', uid: MEMBER },
  // Whoever opened the socket is in its group at least.
  { policy: 'group' },
] as const)('of %o: nothing is refused', async (caller) => {
  expect([...(await forbidden(caller)).keys()]).toEqual([]);
});

test('with agent.adHoc "off" root keeps the agent in its hand, and runs no other commands', async () => {
  expect([...(await forbidden({ policy: 'off', uid: 0 })).keys()]).toEqual(['POST /v1/jobs']);
});

test('who was refused is in the log, with uid and pid', async () => {
  const lines: [string, Readonly<Record<string, unknown>>][] = [];
  const { socketPath, operator } = await serve({
    adHoc: () => ({ policy: 'self', agentUid: AGENT }),
    readPeer: () => ({ pid: 4711, uid: MEMBER, groups: [MEMBER], user: 'mallory' }),
    log: { write: (_level, event, _msg, fields) => lines.push([event, fields]) },
  });
  await call(socketPath, 'POST', '/v1/drain', '{}');
  expect(operator.asked).toEqual([]);
  expect(lines).toEqual([
    ['control.refused', { request: 'POST /v1/drain', uid: MEMBER, pid: 4711, user: 'mallory' }],
  ]);
});
