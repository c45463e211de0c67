/** Where the commands look for the agent, in which order. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { DEFAULT_SOCKET, resolveSocket } from '../../../src/cli/client/socket-path.ts';
import { temporaryDirectory } from '../../control/control-server-fixture.ts';

async function configured(yaml: string): Promise<NodeJS.ProcessEnv> {
  const file = join(await temporaryDirectory(), 'config.yaml');
  await writeFile(file, yaml);
  return { MIGRATION_AGENT_CONFIG: file };
}

test('the option wins, then the environment, then the configuration, then the default', async () => {
  const environment = await configured('agent: { socket: /run/configured.sock }');
  expect(
    await resolveSocket('/option.sock', { ...environment, MIGRATION_AGENT_SOCKET: '/env.sock' }),
  ).toBe('/option.sock');
  expect(
    await resolveSocket(undefined, { ...environment, MIGRATION_AGENT_SOCKET: '/env.sock' }),
  ).toBe('/env.sock');
  expect(await resolveSocket(undefined, environment)).toBe('/run/configured.sock');
  expect(await resolveSocket(undefined, { MIGRATION_AGENT_CONFIG: '/nowhere.yaml' })).toBe(
    DEFAULT_SOCKET,
  );
});

test('only the one key is read: faults elsewhere are not its business', async () => {
  expect(
    await resolveSocket(
      undefined,
      await configured('unknown: 1\nagent:\n  socket: /a.sock\njobs: 5'),
    ),
  ).toBe('/a.sock');
  expect(
    await resolveSocket(undefined, {
      ...(await configured('agent: { socket: "${env:DIR}/a.sock" }')),
      DIR: '/run',
    }),
  ).toBe('/run/a.sock');
  for (const yaml of [
    '',
    '[]',
    'agent: 5',
    'agent: { socket: 5 }',
    'agent: {}',
    '{ broken: [',
    'agent: null',
  ]) {
    expect([yaml, await resolveSocket(undefined, await configured(yaml))]).toEqual([
      yaml,
      DEFAULT_SOCKET,
    ]);
  }
});
