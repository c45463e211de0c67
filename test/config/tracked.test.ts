/** The settings of tracked work have the keys and the messages of a job in the file. */
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { trackedDefinition } from '../../src/config/tracked.ts';

function settings(text: string) {
  const loaded = loadConfiguration({ file: 'a', text, environment: {}, hostname: 'files01' });
  if (!loaded.ok) throw new Error('the text of this test is wrong');
  return loaded.configuration.settings;
}
const WITH_HUB = settings('migrationHub: { progressUpdateStream: s }\n');
const tracked = { by: 'report' } as const;

test('tracked work has no command, and is reported as a job is', () => {
  expect(trackedDefinition({ name: 'db', stallAfter: '10m' }, tracked, WITH_HUB)).toEqual({
    ...{ name: 'db', command: [], environment: {}, autostart: false, tracked },
    ...{ progress: { parser: 'none' }, stop: { signal: 'SIGTERM', graceMs: 30_000 } },
    stallAfterMs: 600_000,
    migrationHub: { task: '{job}', resourceAttributes: [], sourceResources: [], artifacts: [] },
  });
});

test('without Migration Hub, or if it is turned off, nothing is reported there', () => {
  for (const definition of [
    trackedDefinition({ name: 'db' }, tracked, settings('log: {}\n')),
    trackedDefinition({ name: 'db', migrationHub: false }, tracked, WITH_HUB),
  ]) {
    expect(definition).toMatchObject({ name: 'db' });
    expect(definition).not.toHaveProperty('migrationHub');
  }
});

test.each([
  [{ name: 'a b' }, 'name: expected a name of 1 to 128'],
  [{ name: 'a', stallAfter: '10' }, 'stallAfter: expected a duration'],
  [{ name: 'a', migrationHub: { taks: 'x' } }, 'migrationHub.taks: unknown key'],
  [{ name: 'a', migrationHub: { task: 'a:b' } }, 'migrationHub.task: ":" is not allowed'],
  [
    { name: 'a', migrationHub: { task: `${'t'.repeat(250)}{host}` } },
    'migrationHub.task: becomes a name of up to 257 characters; 256 at most',
  ],
])('%j: %s', (request, problem) => {
  expect(trackedDefinition(request, tracked, WITH_HUB)).toContain(problem);
});

test('a name at the limit is taken', () => {
  const migrationHub = { task: `${'t'.repeat(249)}{host}` };
  expect(trackedDefinition({ name: 'a', migrationHub }, tracked, WITH_HUB)).toMatchObject({
    migrationHub,
  });
});
